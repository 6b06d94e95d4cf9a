#pragma once

#include "core/fd.hpp"
#include "deid/pixels/codec.hpp"
#include "deid/pixels/frames.hpp"

#include <sys/types.h>

namespace dcmpipe::deid {

/// A process apart, forked while this one is small, has one thread and has read no key: it forks another for
/// each image that a codec must touch. What a damaged or hostile image does to a codec, it does there: a
/// crash, a loop or a hunger for memory ends that process, and this one learns of it as an Error.
class CodecHost {
public:
    /// Forks; call it before there are threads. Throws Error{Internal} where it cannot.
    CodecHost();
    CodecHost(const CodecHost&) = delete;
    CodecHost& operator=(const CodecHost&) = delete;
    ~CodecHost();

    /// A connection to a new process. Any thread may call it.
    Fd connect() const;

private:
    Fd control_;
    pid_t process_ = -1;
};

/// One image's process. One thread at a time.
class CodecProcess {
public:
    CodecProcess(const CodecHost& host, const PaintJob& job);

    /// repaint() over there. Throws Error{Refused} where it fails or the process dies of it.
    std::string repaint(const Fragments& frame);

private:
    Fd connection_;
};

} // namespace dcmpipe::deid
