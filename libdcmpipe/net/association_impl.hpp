#pragma once

#include "core/error.hpp"
#include "net/association.hpp"
#include "net/dul_connection.hpp"
#include "net/pdv_reader.hpp"

#include <optional>

#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/cond.h>
#include <dcmtk/dcmnet/dul.h>

/// Private to association.cpp and association_setup.cpp.
namespace dcmpipe::net {

struct Association::Impl {
    Channel channel;
    Patience patience{};
    std::function<bool()> stop_waiting{};
    T_ASC_Network* network = nullptr;
    T_ASC_Association* association = nullptr;
    std::string calling_aet{};
    std::string called_aet{};
    std::vector<Context> contexts{};
    std::vector<RefusedContext> refused{};
    bool relational = false;
    PdvReader pdvs;

    Impl(std::unique_ptr<Transport> transport, const Patience& how_long, std::function<bool()> stop);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl();

    const std::string& peer() const { return channel.transport().peer(); }

    // Setting it up.
    void open_network(T_ASC_NetworkRole role);
    void accept(const AcceptSettings& settings);
    void refuse_other_applications();
    Caller caller() const;
    void confirm_identity();
    void ask_whether_admitted(const AcceptSettings& settings);
    void negotiate(const AcceptSettings& settings);
    void answer_extended_negotiation(const AcceptSettings& settings);
    void answer_window();
    void request(const RequestSettings& settings);
    T_ASC_Parameters* proposal(const RequestSettings& settings);

    // Messages.
    void wait_for_message();
    std::optional<Pdv> next_pdv();
    void send(std::uint8_t context_id, DUL_DATAPDV type, std::string_view bytes, bool last = true);

    // When it goes wrong.
    void check(std::string_view doing, const OFCondition& condition);
    /// With the failure of the connection behind a bad condition, or what DUL makes of it.
    [[noreturn]] void fail(std::string_view doing, const OFCondition& condition);
    /// The peer does what it must not.
    [[noreturn]] void violates(std::string_view how) const;
    void check_stop() const;
};

} // namespace dcmpipe::net
