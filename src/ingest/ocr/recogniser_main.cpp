#include "ingest/ocr/recogniser_main.h"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ingest/sandbox/walls.h"

namespace heddle::ingest::ocr {

// The picture is of our own making, so the program sees no foreign format; what it may do is
// bounded all the same. The walls that survive the start of another program: limits, no new
// privileges, and where the system allows it a network of its own with nothing in it.
int recogniser_main(const RecogniserCommand& command) {
    (void)sandbox::raise_limits(command.memory_bytes, command.cpu_seconds);
    (void)unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    // Where the server has written the picture it has left its place at the end.
    (void)lseek(STDIN_FILENO, 0, SEEK_SET);
    std::string program = command.program;
    std::string languages = command.languages;
    char name[] = "tesseract";
    char input[] = "stdin";
    char output[] = "stdout";
    char language_flag[] = "-l";
    char dpi_flag[] = "--dpi";
    char dpi[] = "200";
    char format[] = "tsv";
    char* argv[] = {name,     input, output, language_flag, languages.data(),
                    dpi_flag, dpi,   format, nullptr};
    // One thread: the limits leave no room for more.
    char threads[] = "OMP_THREAD_LIMIT=1";
    char* environment[] = {threads, nullptr};
    execve(program.c_str(), argv, environment);
    return 127;
}

}  // namespace heddle::ingest::ocr
