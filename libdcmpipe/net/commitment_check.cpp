#include "net/commitment_check.hpp"

#include "core/error.hpp"
#include "core/fd.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "net/command.hpp"

#include <set>
#include <unordered_map>

#include <fcntl.h>
#include <unistd.h>

namespace dcmpipe::net {

namespace fs = std::filesystem;

namespace {

/// `1.2.3` of `1.2.3.dcm` and of `1.2.3~2.dcm`.
std::string uid_in(const fs::path& path)
{
    auto name = path.filename().string();
    if (name.ends_with(".dcm")) {
        name.resize(name.size() - 4);
    }
    return name.substr(0, name.find('~'));
}

class Search {
public:
    Search(const fs::path& root, const CommitmentRequest& request)
        : root_(fs::absolute(root.has_filename() ? root : root.parent_path())), request_(request)
    {
        for (std::size_t i = 0; i < request.instances.size(); ++i) {
            wanted_.emplace(request.instances[i].instance_uid, i);
        }
        reasons_.assign(request.instances.size(), status::NoSuchInstance);
    }

    CommitmentReport run(bool by_name)
    {
        std::error_code error;
        constexpr auto go_on = fs::directory_options::skip_permission_denied;
        fs::recursive_directory_iterator entry{root_, go_on, error};
        for (; !error && entry != fs::recursive_directory_iterator{} && left_ > 0; entry.increment(error)) {
            const bool hidden = entry->path().filename().native().starts_with('.');
            if (hidden) {
                entry.disable_recursion_pending();
            } else if (
                entry->is_regular_file(error) && (!by_name || wanted_.contains(uid_in(entry->path())))) {
                look_at(entry->path());
            }
        }
        return report(error ? status::ProcessingFailure : status::NoSuchInstance);
    }

private:
    void look_at(const fs::path& path)
    try {
        const auto instance = dicom::Instance::open_head(path, dicom::tags::SOPInstanceUID);
        const auto [first, last] = wanted_.equal_range(std::string{instance.instance_uid()});
        for (auto place = first; place != last; ++place) {
            auto& reason = reasons_[place->second];
            if (reason == status::Success) {
                continue;
            }
            if (request_.instances[place->second].sop_class_uid != instance.sop_class_uid()) {
                reason = status::ClassInstanceConflict;
            } else {
                make_durable(path);
                reason = status::Success;
                --left_;
            }
        }
    } catch (const Error&) {
        // Not readable, or not durable: it is not committed. Another copy of it may be.
        if (const auto place = wanted_.find(uid_in(path)); place != wanted_.end()) {
            auto& reason = reasons_[place->second];
            reason = reason == status::NoSuchInstance ? status::ProcessingFailure : reason;
        }
    }

    void make_durable(const fs::path& path)
    {
        const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
        if (!file || ::fsync(file.get()) != 0) {
            throw Error::from_errno(ErrorKind::Output, "cannot write", path.string());
        }
        for (auto folder = path.parent_path(); synced_.insert(folder).second && folder != root_.parent_path();
             folder = folder.parent_path()) {
            sync_folder(folder);
        }
    }

    /// `unfinished`: what is said of instances that were not found.
    CommitmentReport report(std::uint16_t unfinished) const
    {
        CommitmentReport report{.transaction_uid = request_.transaction_uid};
        for (std::size_t i = 0; i < reasons_.size(); ++i) {
            if (reasons_[i] == status::Success) {
                report.committed.push_back(request_.instances[i]);
            } else {
                const auto reason = reasons_[i] == status::NoSuchInstance ? unfinished : reasons_[i];
                report.failed.push_back({request_.instances[i], reason});
            }
        }
        return report;
    }

    const fs::path root_;
    const CommitmentRequest& request_;
    std::unordered_multimap<std::string, std::size_t> wanted_;
    std::vector<std::uint16_t> reasons_;
    std::size_t left_ = request_.instances.size();
    std::set<fs::path> synced_;
};

} // namespace

CommitmentReport check_commitment(
    const fs::path& root, const dicom::Layout& layout, const CommitmentRequest& request)
{
    return Search{root, request}.run(layout.names_by_instance());
}

} // namespace dcmpipe::net
