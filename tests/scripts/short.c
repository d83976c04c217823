/* Shortens reads or writes. A system call may always transfer fewer bytes than requested, but this rarely happens in tests.
 *
 * LD_PRELOAD loads this shim before the C library. SHORT_KIND is "read" or "write". SHORT_AT is the number, counted from 1, of the
 * call that transfers a single byte. If SHORT_AT is 0, every call transfers only half of its bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

static size_t shorter(const char *kind, size_t len)
{
    static long calls;
    const char *wanted = getenv("SHORT_KIND"), *at = getenv("SHORT_AT");
    if (!wanted || !at || strcmp(wanted, kind) != 0 || len < 2)
        return len;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (atol(at) == 0)
        return (len + 1) / 2;
    return call == atol(at) ? 1 : len;
}

#define REAL(result, name, ...)                                   \
    static result (*real)(__VA_ARGS__);                           \
    if (!real)                                                    \
        *(void **)&real = dlsym(RTLD_NEXT, name)

ssize_t read(int fd, void *buf, size_t len)
{
    REAL(ssize_t, "read", int, void *, size_t);
    return real(fd, buf, shorter("read", len));
}

ssize_t write(int fd, const void *buf, size_t len)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, buf, shorter("write", len));
}

ssize_t pread64(int fd, void *buf, size_t len, off64_t offset)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    return real(fd, buf, shorter("read", len), offset);
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return real(fd, buf, shorter("write", len), offset);
}

/* If the first buffer is to be shortened, transfers part of that buffer only. */
ssize_t readv(int fd, const struct iovec *buffers, int count)
{
    REAL(ssize_t, "readv", int, const struct iovec *, int);
    struct iovec first;
    if (count < 1)
        return real(fd, buffers, count);
    first = buffers[0];
    size_t len = shorter("read", first.iov_len);
    if (len == first.iov_len)
        return real(fd, buffers, count);
    first.iov_len = len;
    return real(fd, &first, 1);
}
