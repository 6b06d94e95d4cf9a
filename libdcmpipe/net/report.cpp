#include "net/report.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace dcmpipe::net {

std::string Report::encode() const
{
    const auto bytes = fmt::format("{}", instance.bytes);
    const auto stood_already = fmt::format("{:d}", instance.stood_already);
    std::string datagram;
    for (const std::string_view field :
         {std::string_view{instance.path.native()}, std::string_view{instance.sop_class_uid},
          std::string_view{instance.study_uid}, std::string_view{instance.series_uid},
          std::string_view{instance.instance_uid}, std::string_view{bytes}, std::string_view{stood_already},
          std::string_view{calling_aet}}) {
        datagram.append(field).push_back('\0');
    }
    return datagram;
}

std::optional<Report> Report::decode(std::string_view datagram)
{
    std::array<std::string_view, 8> fields;
    for (auto& field : fields) {
        const auto end = datagram.find('\0');
        if (end == datagram.npos) {
            return std::nullopt;
        }
        field = datagram.substr(0, end);
        datagram.remove_prefix(end + 1);
    }
    Report report;
    report.instance.path = fields[0];
    report.instance.sop_class_uid = fields[1];
    report.instance.study_uid = fields[2];
    report.instance.series_uid = fields[3];
    report.instance.instance_uid = fields[4];
    const auto [rest, error] =
        std::from_chars(fields[5].data(), fields[5].data() + fields[5].size(), report.instance.bytes);
    report.instance.stood_already = fields[6] == "1";
    report.calling_aet = fields[7];
    return error == std::errc{} && datagram.empty() ? std::optional{std::move(report)} : std::nullopt;
}

} // namespace dcmpipe::net
