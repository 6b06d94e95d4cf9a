#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace studies {

/// What a voxel of the phantom is made of.
enum class Tissue : std::uint8_t {
    Air,
    Skin,
    Muscle,
    Bone,
    Brain,
    Fluid,
    Lung,
    Heart,
    Vessel,
    Airway,
    Spine
};

/// A head on a thorax, made of ellipsoids, in a patient coordinate system in mm (PS3.3 §C.7.6.2.1.1): x to
/// the left, y to the back, z to the head; the shoulders lie at z = 0.
struct Ellipsoid {
    std::string_view name;
    Tissue tissue;
    std::array<double, 3> centre;
    std::array<double, 3> radii;
};

/// Later ones lie inside earlier ones.
std::span<const Ellipsoid> body();

/// A square axial slice of `size` by `size` pixels.
struct Grid {
    unsigned size = 512;
    double field = 500; ///< mm across

    double spacing() const { return field / size; }
    /// Of the centre of the first pixel, in x and in y.
    double origin() const { return -field / 2 + spacing() / 2; }
};

/// The tissue of each pixel at height `z`, row by row.
void paint(const Grid& grid, double z, std::vector<Tissue>& pixels);

/// Points around an ellipsoid where a slice at height `z` cuts it; none where it does not.
std::vector<std::pair<double, double>> outline(const Ellipsoid& ellipsoid, double z);

} // namespace studies
