# Gives Driver Verifier's settings the values that they had; those that were not there are removed.
$key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management'
$found = ConvertFrom-Json $values
foreach ($name in @((Get-Item -LiteralPath $key).GetValueNames() -like 'Verif*')) {
  if (@($found.PSObject.Properties.Name) -notcontains $name) { Remove-ItemProperty -LiteralPath $key -Name $name }
}
foreach ($property in $found.PSObject.Properties) {
  $type = $property.Value.kind
  Set-ItemProperty -LiteralPath $key -Name $property.Name -Value $property.Value.value -Type $type
}
