#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "retrieve/worker.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace dcmpipe::retrieve {

using MakeWorker = std::function<std::unique_ptr<Worker>()>;

/// One worker in this process, or several, each in a process and with associations of its own. For one
/// thread, made while there is no other.
class Crew {
public:
    /// How work on a series ended.
    struct Outcome {
        Fetched fetched{};
        std::optional<Error> error{}; ///< then `fetched` says nothing
        bool reached = true;          ///< as Worker::reached()
    };

    using OnDone = std::function<void(const Outcome&)>;

    /// `processes` may be 0: then submit() does the work.
    Crew(unsigned processes, const MakeWorker& make, OnStored on_stored);
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    /// Ends what still runs at once.
    ~Crew();

    /// Has a worker do it, and waits until one is free. `on_done` is called in a member of this object.
    void submit(const FoundSeries& series, OnDone on_done);

    /// Waits until all is done.
    void finish();

    /// Ends what is still open, in order.
    void release();

private:
    struct Process {
        pid_t pid = -1;
        Fd socket{};
        std::string unread{};
        OnDone on_done{}; ///< while it works
    };

    bool is_idle() const;
    void start(const MakeWorker& make);
    void hear(Process& process);
    void wait();

    OnStored on_stored_;
    std::unique_ptr<Worker> alone_{};
    std::vector<Process> processes_{};
};

} // namespace dcmpipe::retrieve
