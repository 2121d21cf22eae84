# What the recipe must know of the machine.
$role = [Security.Principal.WindowsBuiltInRole]::Administrator
$user = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
if (-not $user.IsInRole($role)) { '{"administrator":false}'; exit }
$control = 'HKLM:\SYSTEM\CurrentControlSet\Control'
function Read-Value($key, $name) { (Get-ItemProperty -LiteralPath $key -ErrorAction SilentlyContinue).$name }
$verifier = @{}
$memory = Get-Item -LiteralPath "$control\Session Manager\Memory Management"
foreach ($name in @($memory.GetValueNames() -like 'Verif*')) {
  $verifier[$name] = @{ kind = [string]$memory.GetValueKind($name); value = $memory.GetValue($name) }
}
$stored = @{}
foreach ($object in Get-ChildItem 'HKLM:\BCD00000000\Objects') {
  $element = Read-Value "$($object.PSPath)\Elements\16000049" 'Element'
  if ($null -ne $element) { $stored[$object.PSChildName] = [int]$element[0] }
}
$disks = @(Get-CimInstance Win32_LogicalDisk)
$crash = Get-ItemProperty -LiteralPath "$control\CrashControl"
$dumps = @(Get-Item "$($crash.MinidumpDir)\*.dmp", $crash.DumpFile -ErrorAction SilentlyContinue)
$places = @($disks | ForEach-Object { "$($_.DeviceID)\psctx-vm-*" }) + "$env:USERPROFILE\psctx-vm-*"
Write-Json @{
  administrator = $true
  version = [string][Environment]::OSVersion.Version
  architecture = Read-Value "$control\Session Manager\Environment" 'PROCESSOR_ARCHITECTURE'
  home = $env:USERPROFILE
  systemRoot = $env:SystemRoot
  marked = Test-Path 'HKLM:\SOFTWARE\psctx-vm'
  secureBoot = 1 -eq (Read-Value "$control\SecureBoot\State" 'UEFISecureBootEnabled')
  testSigning = (Read-Value $control 'SystemStartOptions') -match 'TESTSIGNING'
  storedTestSigning = $stored
  verifier = $verifier
  service = @('psctx', 'psctx-minifilter' | Where-Object { Test-Path "HKLM:\SYSTEM\CurrentControlSet\Services\$_" }).Count -gt 0
  driverFile = @('psctx', 'psctx-minifilter' | Where-Object { Test-Path "$env:SystemRoot\System32\drivers\$_.sys" }).Count -gt 0
  directories = @(Get-Item $places -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName })
  volumes = @($disks | ForEach-Object { @{ drive = $_.DeviceID; fileSystem = $_.FileSystem; free = $_.FreeSpace } })
  dumps = @($dumps | ForEach-Object { @{ path = $_.FullName; bytes = $_.Length; written = $_.LastWriteTimeUtc.ToString('o') } })
  newestEvent = (Get-WinEvent -LogName System -MaxEvents 1).RecordId
}
