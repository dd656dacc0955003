// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/process.hpp>

#include <google/protobuf/stubs/common.h>
#if GOOGLE_PROTOBUF_VERSION < 4022000
#include <google/protobuf/stubs/logging.h>
#endif

#include <cerrno>
#include <csignal>

#include <fcntl.h>

namespace padbatch::onnx_tools::cli {
namespace {

// Where one of the standard streams is closed, the next file that is opened would take its place, and be written to as
// if it were that stream. So each gets a file, one on which it fails as before.
void occupy_closed_streams()
{
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
            (void)::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        }
    }
}

} // namespace

void prepare_process()
{
#if GOOGLE_PROTOBUF_VERSION < 4022000
    google::protobuf::SetLogHandler(nullptr); // errors have messages of their own
#endif
    occupy_closed_streams();
    // Writing beyond a limit on the size of files, or to a pipe that nobody reads, is an error like others.
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
}

} // namespace padbatch::onnx_tools::cli
