# Ends every program that runs from the directory, and waits for that.
$path = "$env:USERPROFILE\$directory\*"
foreach ($process in Get-CimInstance Win32_Process | Where-Object { $_.ExecutablePath -like $path }) {
  Stop-Process -Id $process.ProcessId -Force -ErrorAction SilentlyContinue
  Wait-Process -Id $process.ProcessId -Timeout 30 -ErrorAction SilentlyContinue
}
