#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"
#include "dicom/layout.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// When an instance counts as stored.
enum class Durability {
    Full, ///< when it and every folder entry that leads to it are on the disk
    Ext4, ///< the same with one flush instead of two, as ext4 and its journal allow; a name may come first
    None, ///< when the operating system has it: for tests and measurements
};

/// What becomes of an instance whose UIDs (Study, Series, SOP Instance) stand already under its name. Where
/// what stands there is another instance, both are always kept.
enum class Duplicates {
    KeepIfIdentical, ///< an equal data set is not written again; another is kept beside the first
    Version,         ///< each is kept beside the first, equal or not
    KeepFirst,       ///< the first stays, whatever comes
    Replace,         ///< an equal data set is not written again; another replaces the first, in one step
    Reject,          ///< an equal data set is not written again; another is refused (0111H)
};

/// What stood under the name of an instance that was taken.
enum class Duplicate {
    None,      ///< nothing, or another instance
    Identical, ///< the same data set: nothing was written
    Versioned, ///< another data set of it; both are there
    Replaced,  ///< another data set of it; it is gone
    Dropped,   ///< another data set of it; what came now is gone
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
    bool stood_already = false; ///< nothing was written: see `duplicate`
    Duplicate duplicate = Duplicate::None;
};

/// The C-STORE status (PS3.4 §B.2.3) and, where it is Success, the instance; else the reason, without values.
struct StoreOutcome {
    std::uint16_t status = 0;
    std::string reason{};
    std::optional<StoredInstance> instance{};
    std::string limit{}; ///< the limit that was reached, by its option; where one was
};

/// Puts instances below a folder as their bytes came, each whole and durable or not at all.
///
/// The folder and name follow from the layout and the data set. Where the name is taken: the same data set is
/// not written again; a different one is kept beside it, as `UID~2.dcm`, unless Duplicates says otherwise.
/// For one process; any number of them may share the folder.
class InstanceStore {
public:
    struct Settings {
        std::filesystem::path root;
        dicom::Layout layout{"uid"};
        Durability durability = Durability::Full;
        Duplicates duplicates = Duplicates::KeepIfIdentical;
        /// Keep a shared flock(2) on the folder of each study that something came for, as long as the store
        /// lives: so others see that more may come.
        bool hold_studies = false;
        std::uint64_t most_bytes = 0;       ///< of a data set; 0: any number
        std::uint64_t least_free_bytes = 0; ///< below that nothing more is begun: the rest is for others
        std::uint64_t least_free_files = 0; ///< names (inodes)
        /// Whether an instance is wanted, by its attributes up to `wanted_by`; all are where unset.
        std::function<bool(const dicom::ElementIndex&)> wanted{};
        dicom::Tag wanted_by{};
        /// Where what is not wanted goes, on the same file system; where empty it is refused (0124H).
        std::filesystem::path aside{};
    };

    /// Makes the root. Throws Error{Output}.
    explicit InstanceStore(Settings settings);

    /// One instance on its way in. What goes wrong is kept for finish(): the sender is heard out first.
    class Incoming {
    public:
        /// Throws Error{Peer} where the sender goes on and on past the limit of its length.
        void take(std::string_view fragment);

        /// Once all of the data set was taken.
        StoreOutcome finish();

    private:
        friend class InstanceStore;
        Incoming(InstanceStore& store, AnnouncedInstance announced);

        void write(std::string_view fragment);
        void refuse(std::uint16_t status, std::string reason, std::string_view limit = {});

        InstanceStore& store_;
        AnnouncedInstance announced_;
        std::optional<OutputFile> file_{};
        std::string head_{};      ///< the first bytes of the file: the header, then some of the data set
        std::uint64_t bytes_ = 0; ///< header and data set
        std::uint64_t taken_ = 0; ///< of the data set
        StoreOutcome refused_{};  ///< where its status is not Success
    };

    Incoming begin(AnnouncedInstance announced);

    /// The limit on what must stay free that holds now, by its option; empty while there is room.
    std::string_view low_water() const;

private:
    StoredInstance put(OutputFile& file, std::string_view head, const AnnouncedInstance& announced);
    StoredInstance name(OutputFile& file, StoredInstance stored);
    bool settle(OutputFile& file, StoredInstance& stored) const;
    void replace(OutputFile& file, const std::filesystem::path& path) const;
    void make_name_durable(const OutputFile& file, const StoredInstance& stored) const;
    void hold_study(const std::filesystem::path& folder);
    void make_durable(const std::filesystem::path& folder);

    Settings settings_;
    std::map<std::filesystem::path, Fd> held_studies_;
    std::set<std::filesystem::path> durable_folders_; ///< this process has synced every name that leads there
};

} // namespace dcmpipe::net
