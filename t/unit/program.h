#ifndef PROGRAM_H
#define PROGRAM_H

/* Servers that are other programs. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Start a server, which prints ACCEPT and, behind a colon, its port. The caller ends *pid. 0: it could not. */
static inline int program_start(pid_t *pid, int *port, const char *const *argv)
{
    char line[256], *colon;
    int out[2];
    FILE *says;

    if (pipe(out) != 0) {
        return 0;
    }
    *pid = fork();
    if (*pid == 0) {
        dup2(out[1], 1);
        dup2(open("/dev/null", O_WRONLY), 2);
        close(out[0]);
        close(out[1]);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(out[1]);
    says = fdopen(out[0], "r");
    while (!*port && fgets(line, sizeof(line), says)) {
        colon = strrchr(line, ':');
        *port = strncmp(line, "ACCEPT", 6) == 0 && colon ? atoi(colon + 1) : 0;
    }
    fclose(says); /* they ignore that: they print no more */
    return *port > 0;
}

#endif
