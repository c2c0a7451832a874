/* ZMTP 3.0 by hand (rfc.zeromq.org/spec/23): what somebody says who does not use libzmq, and does not mean well. */
#ifndef WARREN_TESTS_RAW_H
#define WARREN_TESTS_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection to a socket's file; -1 when the other end's queue is full just now (EAGAIN) or it is gone. */
int raw_connect(const char *path);

/* The 64 bytes of greeting, then READY as a DEALER with this identity, then one more property (may be NULL). */
bool raw_greet(int fd, const void *identity, size_t length, const char *property, const char *value);

/* One frame; `more`: others of the same message follow. */
bool raw_frame(int fd, const void *at, size_t length, bool more);

/* Writes all of it; false when the other end has shut. */
bool raw_write(int fd, const void *at, size_t length);

/* Bytes that came within `ms`, thrown away; -1: the other end has shut. */
long raw_drain(int fd, int ms);

#endif
