#include "deid/pixels/codec_host.hpp"

#include "core/error.hpp"
#include "core/sanitizer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dcmpipe::deid {

using nlohmann::json;

namespace {

constexpr rlim_t seconds_a_frame = 30;
/// Several copies of the largest frame that is painted.
constexpr rlim_t most_memory = 3UL << 30U;
constexpr std::uint64_t most_message = 1ULL << 30U;
constexpr char done = '+';

bool receive_all(int fd, char* bytes, std::size_t size)
{
    while (size > 0) {
        const auto count = ::recv(fd, bytes, size, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

bool send_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

/// A message is its length, then its bytes.
bool send_message(int fd, const std::vector<std::string_view>& parts)
{
    std::uint64_t size = 0;
    for (const auto part : parts) {
        size += part.size();
    }
    std::array<char, sizeof size> head{};
    std::memcpy(head.data(), &size, sizeof size);
    return send_all(fd, {head.data(), head.size()}) &&
           std::all_of(parts.begin(), parts.end(), [&](auto part) { return send_all(fd, part); });
}

bool receive_message(int fd, std::string& message)
{
    std::uint64_t size = 0;
    std::array<char, sizeof size> head{};
    if (!receive_all(fd, head.data(), head.size())) {
        return false;
    }
    std::memcpy(&size, head.data(), sizeof size);
    message.clear();
    while (message.size() < size && size <= most_message) {
        // Step by step: a length is a claim until the bytes are here.
        constexpr std::uint64_t step = 4U << 20U;
        const auto have = message.size();
        message.resize(std::min(size, have + step));
        if (!receive_all(fd, message.data() + have, message.size() - have)) {
            return false;
        }
    }
    return message.size() == size;
}

std::string encoded(const PaintJob& job)
{
    const auto& format = job.format;
    json head{
        {"transfer_syntax", job.transfer_syntax},
        {"rows", format.rows},
        {"columns", format.columns},
        {"samples", format.samples},
        {"bits_allocated", format.bits_allocated},
        {"bits_stored", format.bits_stored},
        {"high_bit", format.high_bit},
        {"is_signed", format.is_signed},
        {"by_plane", format.by_plane},
        {"photometric", format.photometric},
        {"black", format.black},
        {"overlay_bits", job.overlay_bits},
        {"boxes", json::array()}};
    for (const Box& box : job.boxes) {
        head["boxes"].push_back({box.x, box.y, box.width, box.height});
    }
    return head.dump(-1, ' ', false, json::error_handler_t::replace);
}

PaintJob decoded(const std::string& text)
{
    const auto head = json::parse(text);
    PaintJob job;
    auto& format = job.format;
    head.at("transfer_syntax").get_to(job.transfer_syntax);
    head.at("rows").get_to(format.rows);
    head.at("columns").get_to(format.columns);
    head.at("samples").get_to(format.samples);
    head.at("bits_allocated").get_to(format.bits_allocated);
    head.at("bits_stored").get_to(format.bits_stored);
    head.at("high_bit").get_to(format.high_bit);
    head.at("is_signed").get_to(format.is_signed);
    head.at("by_plane").get_to(format.by_plane);
    head.at("photometric").get_to(format.photometric);
    head.at("black").get_to(format.black);
    head.at("overlay_bits").get_to(job.overlay_bits);
    for (const auto& box : head.at("boxes")) {
        job.boxes.push_back({box.at(0), box.at(1), box.at(2), box.at(3)});
    }
    return job;
}

void limit(__rlimit_resource resource, rlim_t most)
{
    const rlimit both{most, most};
    ::setrlimit(resource, &both);
}

void limit_this_process()
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NPROC, 0);
    if constexpr (!sanitized) {
        limit(RLIMIT_AS, most_memory);
    }
}

void allow_time_for_a_frame()
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto until = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + seconds_a_frame;
    const rlimit soft{until, RLIM_INFINITY};
    ::setrlimit(RLIMIT_CPU, &soft);
}

/// The whole life of the process of one image.
void serve_image(int connection)
{
    limit_this_process();
    std::string message;
    if (!receive_message(connection, message)) {
        return;
    }
    const auto job = decoded(message);
    while (receive_message(connection, message)) {
        allow_time_for_a_frame();
        std::string result;
        char verdict = done;
        try {
            result = repaint(job, message);
        } catch (const Error& error) {
            verdict = '-';
            result = error.what();
        }
        if (!send_message(connection, {{&verdict, 1}, result})) {
            return;
        }
    }
}

Fd receive_connection(int control)
{
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    ssize_t count = 0;
    do {
        count = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    const cmsghdr* const head = count > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    int fd = -1;
    if (head != nullptr) {
        std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    }
    return Fd{fd};
}

/// Keeps nothing of the process it was forked from open, so that nobody waits for it at the end of a pipe.
void close_all_but(int fd)
{
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(null, standard);
    }
    const auto own = static_cast<unsigned>(fd);
    if (own > 3) {
        ::close_range(3, own - 1, 0);
    }
    ::close_range(own + 1, std::numeric_limits<unsigned>::max(), 0);
}

/// Ends with the process that forked it: then nobody holds the other end of `control`.
[[noreturn]] void host(int control)
{
    // A terminal's Ctrl-C goes to all: the one in front finishes its item, and for that it needs us.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGCHLD, SIG_IGN);
    close_all_but(control);
    while (const Fd connection = receive_connection(control)) {
        if (::fork() == 0) {
            ::close(control);
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            try {
                serve_image(connection.get());
            } catch (...) {
                ::_exit(1); // no memory, most likely: the connection closes, and that says it
            }
            ::_exit(0);
        }
    }
    ::_exit(0);
}

} // namespace

CodecHost::CodecHost()
{
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot make", "a socket pair");
    }
    control_ = Fd{ends[0]};
    Fd theirs{ends[1]};
    process_ = ::fork();
    if (process_ < 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot start", "a process for codecs");
    }
    if (process_ == 0) {
        host(theirs.get());
    }
}

CodecHost::~CodecHost()
{
    control_.reset();
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Fd CodecHost::connect() const
{
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot make", "a socket pair");
    }
    Fd ours{ends[0]};
    const Fd theirs{ends[1]};
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = theirs.get();
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    ssize_t count = 0;
    do {
        count = ::sendmsg(control_.get(), &message, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        throw Error::from_errno(ErrorKind::Internal, "cannot reach", "the process for codecs");
    }
    return ours;
}

CodecProcess::CodecProcess(const CodecHost& host, const PaintJob& job) : connection_(host.connect())
{
    send_message(connection_.get(), {encoded(job)}); // a failure shows at the first frame
}

std::string CodecProcess::repaint(const Fragments& frame)
{
    std::string answer;
    if (!send_message(connection_.get(), frame) || !receive_message(connection_.get(), answer) ||
        answer.empty()) {
        throw Error{ErrorKind::Refused, "the codec gave up on it"};
    }
    const bool good = answer.front() == done;
    answer.erase(0, 1);
    if (!good) {
        throw Error{ErrorKind::Refused, answer};
    }
    return answer;
}

} // namespace dcmpipe::deid
