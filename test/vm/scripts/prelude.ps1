$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
function Write-Json($value) {
  $text = ConvertTo-Json $value -Depth 4 -Compress
  [regex]::Replace($text, '[^ -~]', { '\u{0:x4}' -f [int]([char]$args[0].Value) })
}
