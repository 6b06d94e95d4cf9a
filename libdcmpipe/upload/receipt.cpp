#include "upload/receipt.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"

#include <vector>

#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* others = "others"; ///< receipts for other URLs, inside the newest one

Json to_json(const Receipt& receipt)
{
    return {{"url", receipt.url},   {"sha256", receipt.sha256},           {"bytes", receipt.bytes},
            {"time", receipt.time}, {"http_status", receipt.http_status}, {"id", receipt.id}};
}

Receipt from_json(const nlohmann::json& json)
{
    return {json.at("url"),  json.at("sha256"),      json.at("bytes"),
            json.at("time"), json.at("http_status"), json.at("id")};
}

/// The newest first.
std::vector<Receipt> read_all(const fs::path& path)
{
    std::vector<Receipt> receipts;
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return receipts;
    }
    try {
        const auto json = read_json_file("the receipt", path);
        receipts.push_back(from_json(json));
        for (const auto& other : json.value(others, nlohmann::json::array())) {
            receipts.push_back(from_json(other));
        }
    } catch (const nlohmann::json::exception&) {
        throw Error{ErrorKind::Input, "cannot read the receipt", path.string(), "a key is missing or wrong"};
    } catch (const Error& error) {
        throw Error{ErrorKind::Input, "cannot read the receipt", path.string(), error.reason()};
    }
    return receipts;
}

std::optional<Receipt> find(const fs::path& path, const std::string& url)
{
    for (auto& receipt : read_all(path)) {
        if (receipt.url == url) {
            return std::move(receipt);
        }
    }
    return std::nullopt;
}

void keep(const fs::path& path, const Receipt& receipt)
{
    auto json = to_json(receipt);
    for (const auto& old : read_all(path)) {
        if (old.url != receipt.url) {
            json[others].push_back(to_json(old));
        }
    }
    write_text_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

fs::path beside(fs::path file, std::string_view ending)
{
    file += ending;
    return file;
}

} // namespace

fs::path receipt_file(const fs::path& file)
{
    return beside(file, ".receipt.json");
}

std::optional<Receipt> find_receipt(const fs::path& file, const std::string& url)
{
    return find(receipt_file(file), url);
}

void keep_receipt(const fs::path& file, const Receipt& receipt)
{
    keep(receipt_file(file), receipt);
}

fs::path refusal_file(const fs::path& file)
{
    return beside(file, ".refused.json");
}

std::optional<Receipt> find_refusal(const fs::path& file, const std::string& url)
{
    return find(refusal_file(file), url);
}

void keep_refusal(const fs::path& file, const Receipt& refusal)
{
    keep(refusal_file(file), refusal);
}

void forget_refusal(const fs::path& file)
{
    std::error_code error;
    if (!fs::remove(refusal_file(file), error) && error) {
        throw Error{ErrorKind::Output, "cannot remove", refusal_file(file).string(), error.message()};
    }
}

} // namespace dcmpipe::upload
