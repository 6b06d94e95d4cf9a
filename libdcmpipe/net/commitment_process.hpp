#pragma once

#include "net/commitment_call.hpp"
#include "net/event.hpp"
#include "net/receiver.hpp"

#include <string>

/// What the processes of a receiver do about storage commitment; private to receiver.cpp and to
/// association_process.cpp.
namespace dcmpipe::net {

/// How a process of the receiver calls where a peer listens. `settings` must outlive it.
CommitmentCall::Settings call_settings(const Receiver::Settings& settings);

/// Without number and peer of an association; where it was not delivered, the log says so.
Event committed_event(const std::string& calling_aet, const CommitmentReport& report, bool delivered);

/// Sends an event to the parent. Blocks until it has room for it: a slow reader of results slows the senders
/// down, not the parent. Throws Error{Internal} where it is gone.
void tell_parent(int parent, const Event& event);

/// Reports what other processes left (CommitmentReporter) and ends the process.
[[noreturn]] void report_in_process(int parent, const Receiver::Settings& settings) noexcept;

} // namespace dcmpipe::net
