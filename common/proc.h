/* SPDX-License-Identifier: ISC */
/* Child processes on a libuv loop, watched by pidfd: no SIGCHLD needed. */
#ifndef COMMON_PROC_H
#define COMMON_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct proc;

/* status as from waitpid().  The owner then calls proc_free(). */
typedef void (*proc_end_fn)(void *ctx, struct proc *proc, int status);

struct proc_spec {
	const char *path;	 /* absolute; "/proc/self/exe" is us again */
	const char *const *argv; /* NULL-terminated, argv[0] included */
	const char *const *envp; /* NULL: ours */
	const int *fds;		 /* become 3, 4, 5, ... in the child */
	size_t fd_count;	 /* at most PROC_FDS_MAX */
	/*
	 * Standard input, output and error of the child; -1: /dev/null for
	 * input and output, ours for error.
	 */
	int std_in, std_out, std_err;
	/* 0: all.  Else the only capabilities (1ull << CAP_...) it may get. */
	uint64_t bounding;
	int is_own_session; /* setsid() */
};

#define PROC_FDS_MAX 64

/*
 * Forks and executes; every descriptor but 0 to 2 and fds is closed in the
 * child, which gets SIGKILL when this process dies (PR_SET_PDEATHSIG; a
 * change of user clears it).  Signal mask and handlers are reset.  0 with
 * *out, or -errno (exec's own failure too).  Call on the main thread.
 */
int proc_spawn(uv_loop_t *loop, const struct proc_spec *spec, proc_end_fn end,
    void *ctx, struct proc **out);
/* Always > 0; only a child not yet reaped has it. */
pid_t proc_pid(const struct proc *proc);
/* Sends it a signal; nothing when it has ended. */
void proc_kill(struct proc *proc, int signo);
/* Stops watching (does not kill) and frees, later, from the loop. */
void proc_free(struct proc *proc);
/*
 * The scheduler's batch policy for this thread and all that come from it,
 * unless it has a policy of its own: who wakes does not push aside who
 * works.  For processes whose answers may wait for some milliseconds and
 * that wake one another all the time: with it they do more at a time.
 */
void proc_be_patient(void);
/* "exit code 1", "signal 11 (Segmentation fault)". Returns out. */
const char *proc_status_text(int status, char *out, size_t size);

#endif
