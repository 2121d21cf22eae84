# The file systems of the embedded kernel: the sources that driver/host's library adds to its own.
set(HOST_FSD_SOURCES
    cleanup.c create.c dirctl.c driver.c fastio.c fault.c fcb.c link.c lock.c memory.c memory_data.c memory_file.c path.c pipe.c
    query.c readwrite.c rename.c security.c set.c start.c volume.c volumeinfo.c)
if(UNIX)
    list(APPEND HOST_FSD_SOURCES directory.c directory_name.c)
endif()
list(TRANSFORM HOST_FSD_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
