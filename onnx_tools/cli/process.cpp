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

// If a standard stream is closed, the next file to be opened takes its number, and would be written to as if it were
// that stream. So each closed stream gets a file of its own, on which it fails as before.
void occupy_closed_streams()
{
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
            (void)::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        }
    }
}

} // namespace

void silence_protobuf()
{
#if GOOGLE_PROTOBUF_VERSION < 4022000
    google::protobuf::SetLogHandler(nullptr);
#endif
}

void prepare_process()
{
    silence_protobuf();
    occupy_closed_streams();
    // Writing beyond the file size limit, or to a pipe without a reader, is then an error like any other.
    std::signal(SIGXFSZ, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
}

} // namespace padbatch::onnx_tools::cli
