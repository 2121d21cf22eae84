/* A service's key in the registry. Each says what is wrong, as a line of information, and is FALSE then. */
#ifndef SELFTEST_REGISTRATION_H
#define SELFTEST_REGISTRATION_H

#include "front.h"
#include "tap.h"

/* FALSE also says nothing: the key is not there. */
BOOL IsRegistered(const FRONT *front);

/* Makes the key, which must not be there, with what a service manager would write. Image is the object manager's name of the file. */
BOOL Register(const FRONT *front, const WCHAR *group, const WCHAR *image);

/* Writes the front's values into the key, which is there. */
BOOL WriteValues(const FRONT *front);

/* Deletes the key with all that is in it. */
BOOL Unregister(const FRONT *front);

#endif
