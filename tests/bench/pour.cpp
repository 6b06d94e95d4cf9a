/// \file pour: sends files by C-STORE on so many associations at once, at next to no cost of its own, so that
/// what is measured is who receives them.
///
///     pour PORT AET ASSOCIATIONS FILE...
///
/// Files are read first; then it prints the seconds from the first request for an association to the last
/// release, and how many instances were not answered with Success. Files must be Part 10, explicit little
/// endian in their header.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

void put16(std::string& to, std::size_t value, bool big)
{
    const auto high = static_cast<char>(value >> 8U);
    const auto low = static_cast<char>(value);
    to += big ? high : low;
    to += big ? low : high;
}

void put32(std::string& to, std::size_t value, bool big)
{
    put16(to, big ? value >> 16U : value & 0xffffU, big);
    put16(to, big ? value & 0xffffU : value >> 16U, big);
}

std::uint32_t get(std::string_view bytes, std::size_t at, unsigned size, bool big)
{
    std::uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(bytes.at(at + (big ? i : size - 1 - i)));
        value = (value << 8U) | byte;
    }
    return value;
}

struct Object {
    std::string bytes;
    std::size_t header = 0; ///< bytes of it before the data set
    std::string sop_class, uid, syntax;
};

Object read(const char* path)
{
    std::ifstream file{path, std::ios::binary};
    Object object;
    object.bytes.assign(std::istreambuf_iterator<char>{file}, {});
    const std::string_view bytes = object.bytes;
    const auto end = 144 + get(bytes, 140, 4, false);
    for (std::size_t at = 144; at < end;) {
        const auto number = get(bytes, at + 2, 2, false);
        const bool is_long = bytes.substr(at + 4, 2) == "OB";
        const auto length = is_long ? get(bytes, at + 8, 4, false) : get(bytes, at + 6, 2, false);
        std::string value{bytes.substr(at + (is_long ? 12 : 8), length)};
        value.resize(std::min(value.size(), value.find('\0')));
        (number == 2      ? object.sop_class
         : number == 3    ? object.uid
         : number == 0x10 ? object.syntax
                          : value) = value;
        at += (is_long ? 12 : 8) + length;
    }
    object.header = end;
    return object;
}

std::string item(unsigned char type, const std::string& body)
{
    std::string bytes{static_cast<char>(type), '\0'};
    put16(bytes, body.size(), true);
    return bytes + body;
}

std::string element(unsigned number, const std::string& value)
{
    std::string bytes;
    put16(bytes, 0, false);
    put16(bytes, number, false);
    put32(bytes, value.size() + value.size() % 2, false);
    return bytes + value + std::string(value.size() % 2, '\0');
}

std::string element(unsigned number, unsigned value)
{
    std::string text;
    put16(text, value, false);
    return element(number, text);
}

class Association {
public:
    Association(std::uint16_t port, std::string called, const std::vector<const Object*>& objects)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
            throw std::runtime_error{"cannot connect"};
        }
        called.resize(16, ' ');
        std::string body;
        put16(body, 1, true);
        put16(body, 0, true);
        body += called + "POUR            " + std::string(32, '\0') + item(0x10, "1.2.840.10008.3.1.1.1");
        for (const auto* object : objects) {
            const auto key = object->sop_class + " " + object->syntax;
            if (contexts_.contains(key)) {
                continue;
            }
            const auto id = static_cast<char>(2 * contexts_.size() + 1);
            contexts_[key] = id;
            body += item(
                0x20, std::string{id, '\0', '\0', '\0'} + item(0x30, object->sop_class) +
                          item(0x40, object->syntax));
        }
        std::string size;
        put32(size, 131072, true);
        send(1, body + item(0x50, item(0x51, size) + item(0x52, "1.2.3.4")));
        const auto [type, answer] = receive();
        const auto place = answer.find(std::string{"\x51\0\0\4", 4});
        if (type != 2 || place == answer.npos) {
            throw std::runtime_error{"no association"};
        }
        const auto most = get(answer, place + 4, 4, true);
        most_ = most == 0 ? 131072 : std::min(most, 131072U);
    }
    Association(const Association&) = delete;
    Association& operator=(const Association&) = delete;
    ~Association() { ::close(socket_); }

    bool store(const Object& object)
    {
        const auto id = contexts_.at(object.sop_class + " " + object.syntax);
        auto command = element(0x0002, object.sop_class) + element(0x0100, 1U) +
                       element(0x0110, ++number_ & 0xffffU) + element(0x0700, 0U) + element(0x0800, 1U) +
                       element(0x1000, object.uid);
        std::string length;
        put32(length, command.size(), false);
        command = element(0, length) + command;
        write(pdv(id, 3, command.size()), command);
        for (auto rest = std::string_view{object.bytes}.substr(object.header); !rest.empty();) {
            const auto piece = rest.substr(0, most_ - 6);
            rest.remove_prefix(piece.size());
            write(pdv(id, rest.empty() ? 2 : 0, piece.size()), piece);
        }
        const auto [type, answer] = receive();
        const auto status = answer.rfind(std::string{"\0\0\0\x09\2\0\0\0", 8});
        return type == 4 && status != answer.npos && get(answer, status + 8, 2, false) == 0;
    }

    void release()
    {
        send(5, std::string(4, '\0'));
        receive();
    }

private:
    static std::string pdv(char id, char control, std::size_t size)
    {
        std::string header{"\4\0", 2};
        put32(header, size + 6, true);
        put32(header, size + 2, true);
        return header + id + control;
    }

    void send(char type, const std::string& body)
    {
        std::string header{type, '\0'};
        put32(header, body.size(), true);
        write(header, body);
    }

    void write(std::string_view header, std::string_view body)
    {
        std::array<iovec, 2> parts{
            {{const_cast<char*>(header.data()), header.size()},
             {const_cast<char*>(body.data()), body.size()}}};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = 2;
        while (message.msg_iovlen > 0) {
            auto count = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
            if (count < 0) {
                throw std::runtime_error{"it hung up"};
            }
            while (message.msg_iovlen > 0 && static_cast<std::size_t>(count) >= message.msg_iov->iov_len) {
                count -= static_cast<ssize_t>(message.msg_iov->iov_len);
                ++message.msg_iov;
                --message.msg_iovlen;
            }
            if (message.msg_iovlen > 0) {
                message.msg_iov->iov_base = static_cast<char*>(message.msg_iov->iov_base) + count;
                message.msg_iov->iov_len -= static_cast<std::size_t>(count);
            }
        }
    }

    std::string exactly(std::size_t size)
    {
        std::string bytes(size, '\0');
        for (std::size_t at = 0; at < size;) {
            const auto count = ::recv(socket_, bytes.data() + at, size - at, 0);
            if (count <= 0) {
                throw std::runtime_error{"it hung up"};
            }
            // Else a receiver that answers in pieces waits 40 ms for each: that would hide all others.
            const int on = 1;
            static_cast<void>(::setsockopt(socket_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
            at += static_cast<std::size_t>(count);
        }
        return bytes;
    }

    std::pair<char, std::string> receive()
    {
        const auto header = exactly(6);
        return {header[0], exactly(get(header, 2, 4, true))};
    }

    int socket_;
    std::map<std::string, char> contexts_;
    std::size_t most_ = 0;
    unsigned number_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    std::vector<Object> objects;
    for (int i = 4; i < argc; ++i) {
        objects.push_back(read(argv[i]));
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    const auto associations = static_cast<std::size_t>(std::atoi(argv[3]));
    std::vector<std::size_t> failed(associations, 0);
    std::vector<std::thread> threads;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t n = 0; n < associations; ++n) {
        std::vector<const Object*> share;
        for (auto i = n; i < objects.size(); i += associations) {
            share.push_back(&objects[i]);
        }
        threads.emplace_back([port, argv, share, &left = failed[n]] {
            left = share.size();
            try {
                Association association{port, argv[2], share};
                for (const auto* object : share) {
                    left -= association.store(*object) ? 1 : 0;
                }
                association.release();
            } catch (const std::exception& error) {
                std::fprintf(stderr, "%s\n", error.what());
            }
        });
    }
    std::size_t all = 0;
    for (std::size_t n = 0; n < associations; ++n) {
        threads[n].join();
        all += failed[n];
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%.4f %zu\n", seconds.count(), all);
}
