/* Threads that keep files of the volume in use, by requests and by fast I/O, until they are told to stop. */
#ifndef SELFTEST_TRAFFIC_H
#define SELFTEST_TRAFFIC_H

/* TrafficBegin waits until every thread has used files; TrafficEnd tells how often each went wrong. */
void TrafficBegin(void);
void TrafficEnd(void);

#endif
