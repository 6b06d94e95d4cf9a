#pragma once

#include "store.hpp"
#include "visit.hpp"

#include <string>

namespace studies {

/// How large the images are.
struct Scale {
    unsigned ct_size;
    unsigned ct_slices;
    unsigned mr_size;
    unsigned mr_slices;
};

inline constexpr Scale small{64, 12, 64, 6};
inline constexpr Scale demo{512, 200, 256, 24};

/// A CT series of head and thorax, an RT Structure Set with contours on it, and a Comprehensive SR about
/// it; all references resolve. Explicit VR little endian.
void make_ct_study(Visit& visit, Store& store, const Scale& scale, const std::string& folder);

/// An MR series with private blocks of two makers, nested and hidden sequences. Implicit VR.
void make_mr_study(Visit& visit, Store& store, const Scale& scale, const std::string& folder);

/// Single instances, each in another encoding or with identity in another unusual place.
void make_mixed_study(Visit& visit, Store& store, const std::string& folder);

// The parts of a CT study beside its images; `images` names their count.
void make_structure_set(Visit& visit, Store& store, const Scale& scale, const std::string& path);
void make_report(Visit& visit, Store& store, const Scale& scale, const std::string& path);

// The parts of a mixed study.
void make_encodings(Visit& visit, Store& store, const std::string& folder);
void make_compressed(Visit& visit, Store& store, const std::string& folder);
void make_graphics(Visit& visit, Store& store, const std::string& folder);
void make_hidden(Visit& visit, Store& store, const std::string& folder);
void make_document(Visit& visit, Store& store, const std::string& folder);

} // namespace studies
