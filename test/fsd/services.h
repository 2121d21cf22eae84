/* Tests of what holds or changes a stream besides its bytes; services.c. */
#ifndef PSCTX_TEST_FSD_SERVICES_H
#define PSCTX_TEST_FSD_SERVICES_H

void LockedRangesAreKeptFromOthers(void);
void ASectionKeepsItsStream(void);
void SecurityIsToldAsItWasSet(void);
void SparseFilesSaySo(void);

#endif
