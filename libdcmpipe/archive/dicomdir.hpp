#pragma once

#include "dicom/element_index.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace dcmpipe::archive {

/// Makes the DICOMDIR (PS3.3 §F, PS3.10 §8.6) of files that stand below a folder. One at a time in a process;
/// from one thread.
class DicomDir {
public:
    /// `root` holds the files; `work_file` is made and left: DCMTK writes there. Throws Error{Output}.
    DicomDir(std::filesystem::path root, std::filesystem::path work_file);
    ~DicomDir();
    DicomDir(const DicomDir&) = delete;
    DicomDir& operator=(const DicomDir&) = delete;

    /// Adds the records of one file, `PT000000/ST000000/SE000000/IM000000`, with this data set. Attributes
    /// that a record must have and the file lacks are invented: another date of the file or 1900-01-01 for
    /// the Study Date, numbers for IDs. Throws Error{Input} where no record can be made of it.
    ///
    /// That the data set was indexed keeps DCMTK from sequences nested without end.
    void add(const std::string& file_id, const dicom::ElementIndex& data_set);

    /// The bytes of the DICOMDIR, the same for the same files. `uid` becomes its SOP Instance UID. They are
    /// read back: as many records must name a file as were added. Throws Error{Output}.
    std::string finish(std::string_view uid);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::archive
