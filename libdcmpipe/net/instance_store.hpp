#pragma once

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"
#include "dicom/layout.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// When an instance counts as stored.
enum class Durability {
    Full, ///< when it and every folder entry that leads to it are on the disk
    None, ///< when the operating system has it: for tests and measurements
};

/// What the C-STORE request and its association say of an instance before its data set comes.
struct AnnouncedInstance {
    std::string sop_class_uid;
    std::string instance_uid;
    std::string transfer_syntax;
    std::string calling_aet;   ///< whose it is
    std::string receiving_aet; ///< ours
};

/// An instance that stands on the disk.
struct StoredInstance {
    std::filesystem::path path{};
    std::string sop_class_uid{};
    std::string study_uid{};
    std::string series_uid{};
    std::string instance_uid{};
    std::uint64_t bytes = 0;    ///< of the file
    bool stood_already = false; ///< the same data set under the same UIDs: nothing was written
};

/// The C-STORE status (PS3.4 §B.2.3) and, where it is Success, the instance; else the reason, without values.
struct StoreOutcome {
    std::uint16_t status = 0;
    std::string reason{};
    std::optional<StoredInstance> instance{};
};

/// Puts instances below a folder as their bytes came, each whole and durable or not at all.
///
/// The folder and name follow from the layout and the data set. Where the name is taken: the same data set is
/// not written again; a different one is kept beside it, as `UID~2.dcm`, and nothing is ever replaced.
/// For one process; any number of them may share the folder.
class InstanceStore {
public:
    struct Settings {
        std::filesystem::path root;
        dicom::Layout layout{"uid"};
        Durability durability = Durability::Full;
        /// Whether an instance is wanted, by its attributes up to `wanted_by`; all are where unset.
        std::function<bool(const dicom::ElementIndex&)> wanted{};
        dicom::Tag wanted_by{};
    };

    /// Makes the root. Throws Error{Output}.
    explicit InstanceStore(Settings settings);

    /// One instance on its way in. What goes wrong is kept for finish(): the sender is heard out first.
    class Incoming {
    public:
        void take(std::string_view fragment);

        /// Once all of the data set was taken.
        StoreOutcome finish();

    private:
        friend class InstanceStore;
        Incoming(InstanceStore& store, AnnouncedInstance announced);

        void refuse(std::uint16_t status, std::string reason);

        InstanceStore& store_;
        AnnouncedInstance announced_;
        std::optional<OutputFile> file_{};
        std::uint64_t bytes_ = 0; ///< header and data set
        StoreOutcome refused_{};  ///< where its status is not Success
    };

    Incoming begin(AnnouncedInstance announced);

private:
    StoredInstance put(OutputFile& file, const AnnouncedInstance& announced);
    StoredInstance name(OutputFile& file, const dicom::Instance& instance, StoredInstance stored);
    void make_durable(const std::filesystem::path& folder);

    Settings settings_;
    std::set<std::filesystem::path> durable_folders_; ///< this process has synced every name that leads there
};

} // namespace dcmpipe::net
