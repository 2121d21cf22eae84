# Leaves a mark that is gone once the machine has restarted, and that keeps a second run away meanwhile.
$access = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree
$options = [Microsoft.Win32.RegistryOptions]::Volatile
[Microsoft.Win32.Registry]::LocalMachine.CreateSubKey('SOFTWARE\psctx-vm', $access, $options).Close()
