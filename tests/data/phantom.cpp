#include "phantom.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace studies {

namespace {

constexpr std::array anatomy{
    Ellipsoid{"Thorax", Tissue::Skin, {0, 0, -170}, {185, 115, 210}},
    Ellipsoid{"Muscle", Tissue::Muscle, {0, 0, -170}, {176, 106, 202}},
    Ellipsoid{"Rib cage", Tissue::Bone, {0, 0, -180}, {152, 95, 172}},
    Ellipsoid{"Chest", Tissue::Muscle, {0, 0, -180}, {147, 90, 168}},
    Ellipsoid{"Lung right", Tissue::Lung, {-72, 5, -185}, {60, 72, 140}},
    Ellipsoid{"Lung left", Tissue::Lung, {72, 5, -185}, {58, 72, 140}},
    Ellipsoid{"Heart", Tissue::Heart, {22, -30, -225}, {58, 48, 62}},
    Ellipsoid{"Chamber", Tissue::Vessel, {30, -30, -230}, {24, 22, 32}},
    Ellipsoid{"Aorta", Tissue::Vessel, {18, 38, -190}, {12, 12, 120}},
    Ellipsoid{"Neck", Tissue::Skin, {0, 15, 40}, {62, 66, 90}},
    Ellipsoid{"Neck muscle", Tissue::Muscle, {0, 15, 40}, {56, 60, 86}},
    Ellipsoid{"Trachea", Tissue::Airway, {0, -12, -20}, {9, 9, 110}},
    Ellipsoid{"Spine", Tissue::Bone, {0, 62, -150}, {19, 20, 260}},
    Ellipsoid{"Spinal canal", Tissue::Spine, {0, 70, -150}, {8, 8, 255}},
    Ellipsoid{"Head", Tissue::Skin, {0, 0, 180}, {82, 102, 118}},
    Ellipsoid{"Skull", Tissue::Bone, {0, 0, 182}, {76, 96, 111}},
    Ellipsoid{"Brain", Tissue::Brain, {0, 0, 184}, {69, 89, 103}},
    Ellipsoid{"Ventricle right", Tissue::Fluid, {-12, -6, 194}, {9, 36, 22}},
    Ellipsoid{"Ventricle left", Tissue::Fluid, {12, -6, 194}, {9, 36, 22}},
    Ellipsoid{"Third ventricle", Tissue::Fluid, {0, 4, 178}, {4, 16, 14}},
    Ellipsoid{"Eye right", Tissue::Fluid, {-31, -80, 165}, {12, 12, 12}},
    Ellipsoid{"Eye left", Tissue::Fluid, {31, -80, 165}, {12, 12, 12}},
};

/// How much of an ellipsoid's radii is left at height `z`: 0 where the slice misses it.
double share_at(const Ellipsoid& ellipsoid, double z)
{
    const double high = (z - ellipsoid.centre[2]) / ellipsoid.radii[2];
    return std::sqrt(std::max(0.0, 1 - high * high));
}

void paint_one(const Grid& grid, const Ellipsoid& ellipsoid, double z, std::vector<Tissue>& pixels)
{
    const double share = share_at(ellipsoid, z);
    const auto column = [&](double x) {
        const auto number = std::lround((x - grid.origin()) / grid.spacing());
        return std::clamp<long>(number, 0, static_cast<long>(grid.size));
    };
    for (unsigned row = 0; row < grid.size; ++row) {
        const double y = grid.origin() + row * grid.spacing();
        const double across = (y - ellipsoid.centre[1]) / ellipsoid.radii[1];
        const double left = share * share - across * across;
        if (left <= 0) {
            continue;
        }
        const double half = ellipsoid.radii[0] * std::sqrt(left);
        const auto start = pixels.begin() + static_cast<long>(row * grid.size);
        std::fill(
            start + column(ellipsoid.centre[0] - half), start + column(ellipsoid.centre[0] + half),
            ellipsoid.tissue);
    }
}

} // namespace

std::span<const Ellipsoid> body()
{
    return anatomy;
}

void paint(const Grid& grid, double z, std::vector<Tissue>& pixels)
{
    pixels.assign(std::size_t{grid.size} * grid.size, Tissue::Air);
    for (const auto& ellipsoid : anatomy) {
        if (share_at(ellipsoid, z) > 0) {
            paint_one(grid, ellipsoid, z, pixels);
        }
    }
}

std::vector<std::pair<double, double>> outline(const Ellipsoid& ellipsoid, double z)
{
    constexpr int count = 36;
    const double share = share_at(ellipsoid, z);
    std::vector<std::pair<double, double>> points;
    for (int i = 0; share > 0.05 && i < count; ++i) {
        const double angle = 2 * std::numbers::pi * i / count;
        points.emplace_back(
            ellipsoid.centre[0] + share * ellipsoid.radii[0] * std::cos(angle),
            ellipsoid.centre[1] + share * ellipsoid.radii[1] * std::sin(angle));
    }
    return points;
}

} // namespace studies
