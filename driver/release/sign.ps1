# Signs the driver and its self-test with a certificate of this machine's own, for a test machine with test signing on. As an administrator.
$ErrorActionPreference = 'Stop'
$subject = 'CN=psctx test'
$certificate = Get-ChildItem Cert:\LocalMachine\My -CodeSigningCert | Where-Object Subject -eq $subject | Select-Object -First 1
if (-not $certificate) {
    $certificate = New-SelfSignedCertificate -Type CodeSigningCert -Subject $subject -CertStoreLocation Cert:\LocalMachine\My
}
foreach ($image in 'psctx.sys', 'psctx-minifilter.sys', 'psctx-selftest.exe') {
    $signature = Set-AuthenticodeSignature -FilePath (Join-Path $PSScriptRoot $image) -Certificate $certificate -HashAlgorithm SHA256
    if (-not $signature.SignerCertificate) { throw "$image could not be signed: $($signature.StatusMessage)" }
}
