#pragma once

#include "dcm.hpp"
#include "ledger.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace studies {

/// How a file is written.
struct Form {
    E_TransferSyntax syntax = EXS_LittleEndianExplicit;
    E_EncodingType lengths = EET_UndefinedLength;
    E_GrpLenEncoding groups = EGL_withoutGL;
    unsigned pad_to = 0;       ///< trailing padding (FFFC,FFFC) up to a multiple of it
    unsigned pad_items_to = 0; ///< the same inside items
    /// What to do with the finished bytes before they are written.
    std::function<void(std::string&)> finish{};
};

/// The output folder: writes instances and notes each in the ledger.
class Store {
public:
    Store(std::filesystem::path folder, Ledger& ledger) : folder_(std::move(folder)), ledger_(ledger) {}

    /// Writes under `path` (relative) with file meta information as DCMTK makes it.
    void save(DcmFileFormat& file, const std::string& path, std::string_view what, const Form& form = {});

    const std::filesystem::path& folder() const { return folder_; }

private:
    std::filesystem::path folder_;
    Ledger& ledger_;
};

} // namespace studies
