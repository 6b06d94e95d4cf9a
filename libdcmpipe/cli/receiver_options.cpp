#include "cli/receiver_options.hpp"

#include "core/error.hpp"
#include "net/node.hpp"
#include "net/node_book.hpp"

namespace dcmpipe::cli {

void ReceiverOptions::declare_access(Words& words)
{
    words.group("Who may send what");
    words.option("--nodes", nodes, "FILE", "only the nodes that FILE names, each with its rights")
        .shows("everybody");
    words.option("--allow-aet", allow_aets, "AET", "only this calling AE title; may be repeated");
    words.option(
        "--allow-from", allow_from, "CIDR", "only from these addresses (10.1.0.0/16); may be repeated");
    words.option(
        "--users", users, "FILE", "only users that FILE names, with their passcodes (user:passcode)");
    words.flag("--check-called", check_called, "only who calls us by our AE title");
    words.option("--accept-sop", accept_sop, "UID", "only this SOP class, by UID or name; may be repeated");
    words.option(
        "--accept-syntax", accept_syntax, "UID",
        "only this transfer syntax, by UID or name; may be repeated");
}

void ReceiverOptions::declare_tls(Words& words)
{
    words.group("TLS");
    words.flag("--tls", tls, "take encrypted connections only, TLS 1.2 or 1.3 (BCP 195)");
    words.option("--tls-cert", tls_files.certificate, "FILE", "our certificate and its chain, PEM");
    words.option("--tls-key", tls_files.key, "FILE", "its key, PEM, not encrypted");
    words.option(
        "--tls-ca", tls_files.authorities, "FILE",
        "only peers whose certificate one of these has signed, PEM");
}

void ReceiverOptions::declare_limits(Words& words)
{
    words.group("Limits (0: none)");
    words.option("--max-associations", limits.associations, "COUNT", "associations at once")
        .shows("256")
        .alias("max-connections");
    words.option("--max-per-address", limits.per_address, "COUNT", "associations from one address")
        .shows("128");
    words.option("--max-per-aet", limits.per_aet, "COUNT", "associations of one calling AE title").shows("0");
    words.option("--max-instances", limits.instances, "COUNT", "instances on one association").shows("0");
    words.option("--max-object", max_object, "SIZE", "the longest data set").shows("4G");
    words.option("--max-memory", max_memory, "SIZE", "what an association's process may need").shows("512M");
    words.option("--min-free", min_free, "SIZE", "refuse while less room is left below DIR").shows("256M");
    words.option("--min-free-files", min_free_files, "COUNT", "or room for fewer files").shows("1000");
    words.option("--timeout", timeout, "SECONDS", "end an association that is silent for so long")
        .shows("60");
    words.option("--acse-timeout", acse_timeout, "SECONDS", "what asking for an association may take")
        .shows("as --timeout, 30 at most");
    words.option("--dimse-timeout", dimse_timeout, "SECONDS", "what a message may take, besides its length")
        .shows("as --timeout");
    words.option("--min-rate", min_rate, "BYTES", "what of a message must come in a second").shows("1024");
    words.option("--max-time", max_time, "SECONDS", "what an association may last").shows("0");
}

void ReceiverOptions::declare(Words& words)
{
    words.out(out, "the folder to store below").required();
    words.option("--aet", aet, "AET", "our AE title").shows("DICOMRCV");
    words.option("--port", port, "PORT", "the TCP port; 0 takes a free one and says which").shows("11112");
    words.option("--bind", bind, "ADDR", "listen on this address only, IPv4 or IPv6").shows("every address");
    words.option("--layout", layout, "LAYOUT", "folders and names: uid, patient, receiver, or a template")
        .shows("uid");
    words
        .choice(
            "--durability", durability,
            {{"full", net::Durability::Full},
             {"ext4", net::Durability::Ext4},
             {"none", net::Durability::None}},
            "say Success once the instance is on the disk; with fewer flushes where ext4 allows; or, for "
            "measurements, at once")
        .shows("full");
    words
        .choice(
            "--duplicates", duplicates,
            {{"keep-if-identical", net::Duplicates::KeepIfIdentical},
             {"version", net::Duplicates::Version},
             {"keep-first", net::Duplicates::KeepFirst},
             {"replace", net::Duplicates::Replace},
             {"reject", net::Duplicates::Reject}},
            "what becomes of an instance that comes again")
        .shows("keep-if-identical");
    words.option("--max-pdu", max_pdu, "BYTES", "the longest PDU to take, 4096 to 131072").shows("131072");
    words.option(
        "--events", events, "FILE|FD", "append what happens to FILE, or a descriptor, as JSON lines");
    words.option("--counters", counters, "FILE", "keep sums of it in FILE, for Prometheus");
    declare_access(words);
    declare_tls(words);
    declare_limits(words);
}

void ReceiverOptions::check() const
{
    net::check_aet(aet);
    net::check_max_pdu(max_pdu);
    if (timeout == 0 || acse_timeout == 0U || dimse_timeout == 0U) {
        throw Error{ErrorKind::Usage, "a timeout must be 1 s or more"};
    }
    const auto& files = tls_files;
    if (!tls && (files.certificate || files.key || files.authorities)) {
        throw Error{ErrorKind::Usage, "--tls-cert, --tls-key and --tls-ca need --tls"};
    }
    for (const auto& title : allow_aets) {
        net::check_aet(title);
    }
}

net::AccessList ReceiverOptions::access() const
{
    net::AccessList list{.networks = allow_from, .aets = allow_aets};
    if (nodes) {
        list.nodes = net::read_nodes_file(*nodes);
    }
    return list;
}

std::optional<net::Users> ReceiverOptions::known_users() const
{
    return users ? std::optional{net::Users::from_file(*users)} : std::nullopt;
}

net::StoragePolicy ReceiverOptions::policy() const
{
    net::StoragePolicy takes;
    for (const auto& text : accept_sop) {
        takes.classes.push_back(net::uid_from(text));
    }
    for (const auto& text : accept_syntax) {
        takes.syntaxes.push_back(net::uid_from(text));
    }
    return takes;
}

std::shared_ptr<const net::TlsContext> ReceiverOptions::tls_context(net::TlsContext::Side side) const
{
    return tls ? std::make_shared<net::TlsContext>(side, tls_files) : nullptr;
}

net::Patience ReceiverOptions::patience() const
{
    using std::chrono::seconds;
    auto result = net::Patience::of(seconds{timeout});
    if (acse_timeout) {
        result.association = seconds{*acse_timeout};
    }
    if (dimse_timeout) {
        result.message = seconds{*dimse_timeout};
    }
    result.least_rate = static_cast<double>(min_rate);
    result.in_all = seconds{max_time};
    return result;
}

net::Receiver::Settings ReceiverOptions::settings() const
{
    // One after the other: GCC 12 misplaces the clean-up of a large aggregate whose parts throw.
    net::Receiver::Settings result;
    result.aet = aet;
    result.max_pdu = max_pdu;
    result.patience = patience();
    result.store.root = out;
    result.store.layout = dicom::Layout{layout};
    result.store.durability = durability;
    result.store.duplicates = duplicates;
    result.store.hold_studies = true;
    result.store.most_bytes = max_object.bytes;
    result.store.least_free_bytes = min_free.bytes;
    result.store.least_free_files = min_free_files;
    result.called_aet_is_ours = check_called;
    result.access = access();
    result.users = known_users();
    result.takes = policy();
    result.limits = limits;
    result.limits.memory = max_memory.bytes;
    result.tls = tls_context(net::TlsContext::Side::Acceptor);
    result.tls_out = tls_context(net::TlsContext::Side::Requestor);
    result.node_of = [path = nodes](std::string_view title) {
        return path ? net::listening_node(title, *path) : std::nullopt;
    };
    return result;
}

} // namespace dcmpipe::cli
