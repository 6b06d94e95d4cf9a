#include "core/error.hpp"
#include "core/event_loop.hpp"
#include "core/fd.hpp"
#include "core/log.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "net/receiver.hpp"
#include "retrieve/fetcher.hpp"
#include "retrieve/request_identifier.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace uid = dicom::uid;

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds a_moment = 200ms;

/// What was not wanted, a line each, from the processes of the receiver to this one: its UID, or nothing
/// where it is of something else. Lines are shorter than PIPE_BUF: they do not mix.
class UnwantedPipe {
public:
    UnwantedPipe()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw Error::from_errno(ErrorKind::Internal, "cannot make", "a pipe");
        }
        out_ = Fd{ends[0]};
        in_ = Fd{ends[1]};
        if (::fcntl(out_.get(), F_SETFL, O_NONBLOCK) != 0) {
            throw Error::from_errno(ErrorKind::Internal, "cannot use", "a pipe");
        }
    }

    int fd() const { return out_.get(); }

    /// In a process of the receiver.
    void write(std::string_view uid) const
    {
        const auto line = std::string{uid} + "\n";
        while (::write(in_.get(), line.data(), line.size()) < 0) {
            if (errno != EINTR) {
                throw Error::from_errno(ErrorKind::Internal, "cannot report to", "the parent process");
            }
        }
    }

    /// Gives out what is there.
    void read(const Request& request)
    {
        std::array<char, 4096> bytes;
        for (;;) {
            const auto got = ::read(out_.get(), bytes.data(), bytes.size());
            if (got <= 0) {
                break;
            }
            unread_.append(bytes.data(), static_cast<std::size_t>(got));
        }
        for (auto end = unread_.find('\n'); end != unread_.npos; end = unread_.find('\n')) {
            const auto uid = std::string_view{unread_}.substr(0, end);
            uid.empty() ? request.on_unasked() : request.on_rejected(uid);
            unread_.erase(0, end + 1);
        }
    }

private:
    Fd out_;
    Fd in_;
    std::string unread_;
};

/// One request: a listener of our own while it lasts, and the node's answers about it.
class Move : public Method {
public:
    Move(Connection& connection, StorePlace place, MoveSettings settings)
        : connection_(connection), place_(std::move(place)), layout_(place_.layout),
          settings_(std::move(settings))
    {
    }

    net::QueryOutcome ask(const Request& request) override
    {
        UnwantedPipe unwanted;
        EventLoop loop;
        loop.watch(unwanted.fd(), POLLIN, [&] {
            proven_ = true;
            unwanted.read(request);
        });
        net::Receiver receiver{
            loop, net::Listener{settings_.bind, settings_.port}, settings_for(request, unwanted),
            [&](const net::Report& report) {
                last_sign_ = net::Clock::now();
                proven_ = true;
                if (!is_aside(place_, report.instance)) {
                    request.on_stored(report.instance);
                }
            }};
        last_sign_ = net::Clock::now();
        try {
            const auto outcome = ask_over(association(), request, loop, receiver);
            wait_for_late_ones(request, outcome, loop, receiver);
            unwanted.read(request);
            check_that_it_comes_here(outcome);
            return outcome;
        } catch (const Error&) {
            association_.reset();
            unwanted.read(request);
            throw;
        }
    }

    bool is_proven() const override { return proven_; }

    void release() override
    {
        if (association_) {
            hang_up(*association_);
            association_.reset();
        }
    }

private:
    net::Receiver::Settings settings_for(const Request& request, const UnwantedPipe& unwanted) const
    {
        const auto& settings = connection_.settings();
        return {
            .aet = settings.aet,
            .max_pdu = settings.max_pdu,
            .patience = settings.patience,
            .store =
                {.root = place_.root,
                 .layout = layout_,
                 .durability = place_.durability,
                 .wanted =
                     [&request, &unwanted](const dicom::ElementIndex& data_set) {
                         if (!request.belongs(data_set)) {
                             unwanted.write({});
                             return false;
                         }
                         const bool confirmed = request.confirms(data_set);
                         if (!confirmed) {
                             unwanted.write(data_set.text(dicom::tags::SOPInstanceUID));
                         }
                         return confirmed;
                     },
                 .wanted_by = request.wanted_by,
                 .aside = place_.aside},
            .in_child =
                [this] {
                    if (association_) { // it must end where it ends in this process
                        ::close(association_->fd());
                    }
                },
            .tls = settings_.tls};
    }

    std::string_view model() const
    {
        return settings_.patient_level ? uid::PatientRootMove : uid::StudyRootMove;
    }

    net::Association& association()
    {
        using namespace dicom::transfer_syntax;
        if (!association_) {
            association_.emplace(connection_.call(
                {{.abstract_syntax = std::string{model()},
                  .transfer_syntaxes = {
                      std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}}}}));
        }
        return *association_;
    }

    net::QueryOutcome ask_over(
        net::Association& association, const Request& request, EventLoop& loop, net::Receiver& receiver)
    {
        const auto* const context = association.context_for(model());
        if (context == nullptr) {
            throw Error{
                ErrorKind::Usage, "cannot retrieve from", association.peer(),
                "it does not offer C-MOVE to us"};
        }
        loop.watch(association.fd(), POLLIN, [] {}); // it wakes the loop
        struct Forget {
            EventLoop& loop;
            int fd;
            ~Forget() { loop.forget(fd); }
        } const forget{loop, association.fd()};
        const auto identifier =
            settings_.patient_level
                ? identifier_at_patient_level(request, context->transfer_syntax, "ISO_IR 192")
                : identifier_of(request, context->transfer_syntax);
        return net::move(
            association, *context, identifier, connection_.settings().aet,
            [&](const net::Association& waiting, net::TimePoint silent_since) {
                loop.run_once(1s);
                last_sign_ = std::max(last_sign_, silent_since);
                check_signs_of_life(waiting.peer(), receiver);
            });
    }

    /// Silent is a node that neither answers nor sends: what an association of the receiver does is watched
    /// over in its own process.
    void check_signs_of_life(const std::string& peer, const net::Receiver& receiver)
    {
        if (receiver.associations() > 0) {
            last_sign_ = net::Clock::now();
        }
        if (net::Clock::now() - last_sign_ > connection_.settings().patience.idle) {
            throw Error{ErrorKind::Peer, "gave up on", peer, "it neither answers nor sends"};
        }
    }

    /// What is on its way when the node has answered; and where it says that nothing failed, what is not.
    void wait_for_late_ones(
        const Request& request, const net::QueryOutcome& outcome, EventLoop& loop,
        const net::Receiver& receiver)
    {
        const auto linger = std::chrono::milliseconds{static_cast<std::int64_t>(settings_.linger * 1000)};
        const bool promises = outcome.status == net::status::Success && outcome.failed == 0;
        last_sign_ = net::Clock::now();
        while (!request.complete()) {
            const auto quiet = promises || receiver.associations() > 0 ? linger : a_moment;
            if (net::Clock::now() - last_sign_ > quiet) {
                return;
            }
            loop.run_once(50ms);
        }
    }

    /// A node that knows our AE title at another place sends identity there, and is not asked for more. Once
    /// it may only have said so of an instance that it lost.
    void check_that_it_comes_here(const net::QueryOutcome& outcome)
    {
        constexpr unsigned enough = 2;
        const auto sent = outcome.completed + outcome.warned;
        if (!proven_ && sent > 0 && ++no_shows_ >= enough) {
            throw Error{
                ErrorKind::Refused, "stopped asking", connection_.settings().node.text(),
                fmt::format(
                    "it says that it sent {} to {}, and again nothing came to port {}: does it know that AE "
                    "title "
                    "at this machine and port?",
                    sent, connection_.settings().aet, settings_.port)};
        }
    }

    Connection& connection_;
    StorePlace place_;
    dicom::Layout layout_;
    MoveSettings settings_;
    std::optional<net::Association> association_{};
    net::TimePoint last_sign_{};
    bool proven_ = false;   ///< something came
    unsigned no_shows_ = 0; ///< requests that brought nothing here, and the node says that it sent it
};

} // namespace

std::unique_ptr<Method> make_move(Connection& connection, StorePlace place, MoveSettings settings)
{
    return std::make_unique<Move>(connection, std::move(place), std::move(settings));
}

} // namespace dcmpipe::retrieve
