/* SPDX-License-Identifier: ISC */
/* The engine's seccomp filter: a list of what it may call, no more. */
#include "common/seccomp_list.h"

#if defined(WITH_SECCOMP) && !defined(SALLYPORT_SANITIZE)

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Read, write and wait on descriptors that it has or receives; memory;
 * time; randomness; threads that exist.  No open, socket, bind, connect,
 * fork or exec.
 */
static const char *const allowed[] = {
    /* descriptors */
    "read", "readv", "pread64", "write", "writev", "recvfrom", "recvmsg",
    "recvmmsg", "sendto", "sendmsg", "sendmmsg", "accept", "accept4",
    "shutdown", "close", "fcntl", "fcntl64", "getsockopt", "getsockname",
    "getpeername", "fstat", "fstat64", "newfstatat", "statx", "lseek",
    "_llseek", "dup", "dup2", "dup3",
    /* waiting */
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
    "ppoll_time64", "eventfd2", "nanosleep", "clock_nanosleep",
    "clock_nanosleep_time64",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock",
    /* time, randomness, identity */
    "clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday", "time",
    "getrandom", "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid",
    "getegid", "uname", "sysinfo",
    /* threads and signals */
    "futex", "futex_time64", "sched_yield", "sched_getaffinity", "membarrier",
    "rseq", "set_robust_list", "get_robust_list", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack",
    "restart_syscall", "exit", "exit_group"};

/* Names that this architecture or libseccomp lacks are passed over. */
static int allow_list(scmp_filter_ctx f)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		int nr = seccomp_syscall_resolve_name(allowed[i]);
		int err;

		if (nr == __NR_SCMP_ERROR)
			continue;
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);
		if (err && err != -EDOM)
			return err;
	}
	return 0;
}

/*
 * Memory never becomes executable; ioctl() only sets O_NONBLOCK; signals
 * only to ourselves: the other daemon's engine may have the same user.
 */
static int allow_conditional(scmp_filter_ctx f)
{
	/* the second datum is the value under the mask */
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp nonblock =
	    SCMP_A1(SCMP_CMP_EQ, FIONBIO, 0 /* not used */);
	const struct scmp_arg_cmp self =
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0 /* not used */);
	int err;

	err =
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
	if (!err)
		err = seccomp_rule_add(
		    f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
	if (!err)
		err = seccomp_rule_add(
		    f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, nonblock);
	if (!err)
		err = seccomp_rule_add(
		    f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, self);
	return err;
}

int seccomp_list_load(struct log *log)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!f)
		return -ENOMEM;
	err = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = allow_list(f);
	if (!err)
		err = allow_conditional(f);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	if (err)
		log_error(
		    log, "cannot load the seccomp filter: %s", strerror(-err));
	return err;
}

#else

int seccomp_list_load(struct log *log)
{
	log_warn(log, "this build has no seccomp filter");
	return 0;
}

#endif
