#include "deid/pixels/codec.hpp"

#include "core/error.hpp"
#include "deid/pixels/jpeg_blocks.hpp"

#include <memory>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/dcmjpls/djencode.h>
#include <dcmtk/dcmjpls/djrparam.h>

namespace dcmpipe::deid {

namespace {

struct Syntax {
    std::string_view uid;
    E_TransferSyntax number;
    bool by_blocks; ///< lossy: painted block by block instead of decoded
};

constexpr Syntax syntaxes[]{
    {"1.2.840.10008.1.2.5", EXS_RLELossless, false},
    {"1.2.840.10008.1.2.4.50", EXS_JPEGProcess1, true},
    {"1.2.840.10008.1.2.4.51", EXS_JPEGProcess2_4, true},
    {"1.2.840.10008.1.2.4.57", EXS_JPEGProcess14, false},
    {"1.2.840.10008.1.2.4.70", EXS_JPEGProcess14SV1, false},
    {"1.2.840.10008.1.2.4.80", EXS_JPEGLSLossless, false},
    {"1.2.840.10008.1.2.4.81", EXS_JPEGLSLossy, false},
};

const Syntax* syntax_of(std::string_view uid)
{
    for (const auto& syntax : syntaxes) {
        if (syntax.uid == uid) {
            return &syntax;
        }
    }
    return nullptr;
}

void check(const OFCondition& condition, const char* reason)
{
    if (condition.bad()) {
        throw Error{ErrorKind::Refused, reason};
    }
}

constexpr const char* cannot_decode = "its compressed pixels cannot be decoded";
constexpr const char* cannot_encode = "its pixels cannot be compressed again";

/// Codecs that change no colour and make no UID, once a process.
void register_codecs()
{
    static const bool registered = [] {
        DcmRLEDecoderRegistration::registerCodecs();
        DcmRLEEncoderRegistration::registerCodecs();
        DJDecoderRegistration::registerCodecs(EDC_never, EUC_never);
        DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);
        DJLSDecoderRegistration::registerCodecs(EJLSUC_never);
        // Not "cooked": that would drop the bits above the stored ones.
        DJLSEncoderRegistration::registerCodecs(0, 0, 0, 0, OFFalse, 0, OFTrue, EJLSUC_never);
        return true;
    }();
    static_cast<void>(registered);
}

std::unique_ptr<DcmRepresentationParameter> parameter_of(E_TransferSyntax syntax)
{
    switch (syntax) {
    case EXS_RLELossless:
        return std::make_unique<DcmRLERepresentationParameter>();
    case EXS_JPEGLSLossless:
        return std::make_unique<DJLSRepresentationParameter>(0, OFTrue);
    default:
        return std::make_unique<DJ_RPLossless>();
    }
}

/// A data set that holds one frame and what a codec asks of it.
std::unique_ptr<DcmDataset> image_of(const PixelFormat& format)
{
    auto image = std::make_unique<DcmDataset>();
    const auto put = [&](const DcmTag& tag, unsigned value) {
        check(image->putAndInsertUint16(tag, static_cast<Uint16>(value)), cannot_decode);
    };
    put(DCM_Rows, format.rows);
    put(DCM_Columns, format.columns);
    put(DCM_SamplesPerPixel, format.samples);
    put(DCM_BitsAllocated, format.bits_allocated);
    put(DCM_BitsStored, format.bits_stored);
    put(DCM_HighBit, format.high_bit);
    put(DCM_PixelRepresentation, format.is_signed ? 1 : 0);
    if (format.samples > 1) {
        put(DCM_PlanarConfiguration, format.by_plane ? 1 : 0);
    }
    check(
        image->putAndInsertString(DCM_PhotometricInterpretation, format.photometric.c_str()), cannot_decode);
    return image;
}

/// The frame's native bytes in little endian. What the codec made of the planar configuration goes into
/// `format`; any other change of the format is none that we asked for.
std::string decode(E_TransferSyntax syntax, PixelFormat& format, std::string_view frame)
{
    auto image = image_of(format);
    auto fragments = std::make_unique<DcmPixelSequence>(DcmTag{DCM_PixelData, EVR_OB});
    for (const auto bytes : {std::string_view{}, frame}) {
        auto item = std::make_unique<DcmPixelItem>(DcmTag{DCM_Item, EVR_OB});
        check(
            item->putUint8Array(
                reinterpret_cast<const Uint8*>(bytes.data()), static_cast<unsigned long>(bytes.size())),
            cannot_decode);
        check(fragments->insert(item.release()), cannot_decode);
    }
    auto pixels = std::make_unique<DcmPixelData>(DcmTag{DCM_PixelData, EVR_OB});
    pixels->putOriginalRepresentation(syntax, nullptr, fragments.release());
    check(image->insert(pixels.release()), cannot_decode);
    check(image->chooseRepresentation(EXS_LittleEndianExplicit, nullptr), cannot_decode);

    const auto expect = [&](const DcmTag& tag, unsigned value) {
        Uint16 found = 0;
        if (image->findAndGetUint16(tag, found).bad() || found != value) {
            throw Error{ErrorKind::Refused, "its compressed pixels are not what its attributes say"};
        }
    };
    expect(DCM_Rows, format.rows);
    expect(DCM_Columns, format.columns);
    expect(DCM_SamplesPerPixel, format.samples);
    expect(DCM_BitsAllocated, format.bits_allocated);
    OFString photometric;
    if (image->findAndGetOFString(DCM_PhotometricInterpretation, photometric).bad() ||
        photometric != format.photometric.c_str()) {
        throw Error{ErrorKind::Refused, "its colours cannot be decoded without a change"};
    }
    Uint16 planar = 0;
    image->findAndGetUint16(DCM_PlanarConfiguration, planar);
    format.by_plane = format.samples > 1 && planar == 1;

    const auto size = format.frame_bytes();
    const char* bytes = nullptr;
    unsigned long count = 0;
    if (format.bits_allocated > 8) {
        const Uint16* words = nullptr;
        check(image->findAndGetUint16Array(DCM_PixelData, words, &count), cannot_decode);
        bytes = reinterpret_cast<const char*>(words);
        count *= 2;
    } else {
        const Uint8* octets = nullptr;
        check(image->findAndGetUint8Array(DCM_PixelData, octets, &count), cannot_decode);
        bytes = reinterpret_cast<const char*>(octets);
    }
    if (bytes == nullptr || count < size) {
        throw Error{ErrorKind::Refused, cannot_decode};
    }
    return {bytes, size};
}

std::string encode(E_TransferSyntax syntax, const PixelFormat& format, const std::string& frame)
{
    auto image = image_of(format);
    if (format.bits_allocated > 8) {
        check(
            image->putAndInsertUint16Array(
                DCM_PixelData, reinterpret_cast<const Uint16*>(frame.data()),
                static_cast<unsigned long>(frame.size() / 2)),
            cannot_encode);
    } else {
        check(
            image->putAndInsertUint8Array(
                DCM_PixelData, reinterpret_cast<const Uint8*>(frame.data()),
                static_cast<unsigned long>(frame.size())),
            cannot_encode);
    }
    const auto parameter = parameter_of(syntax);
    check(image->chooseRepresentation(syntax, parameter.get()), cannot_encode);
    DcmElement* element = nullptr;
    check(image->findAndGetElement(DCM_PixelData, element), cannot_encode);
    auto* const pixels = dynamic_cast<DcmPixelData*>(element);
    DcmPixelSequence* fragments = nullptr;
    if (pixels == nullptr ||
        pixels->getEncapsulatedRepresentation(syntax, parameter.get(), fragments).bad() ||
        fragments == nullptr) {
        throw Error{ErrorKind::Refused, cannot_encode};
    }
    std::string encoded;
    for (unsigned long i = 1; i < fragments->card(); ++i) {
        DcmPixelItem* item = nullptr;
        Uint8* bytes = nullptr;
        check(fragments->getItem(item, i), cannot_encode);
        check(item->getUint8Array(bytes), cannot_encode);
        encoded.append(reinterpret_cast<const char*>(bytes), item->getLength());
    }
    return encoded;
}

std::string repaint_losslessly(E_TransferSyntax syntax, const PaintJob& job, std::string_view frame)
{
    register_codecs();
    auto format = job.format;
    auto native = decode(syntax, format, frame);
    paint_frame(native, format, job.boxes);
    clear_bits(native, format, job.overlay_bits, false);
    // Near-lossless with nothing near: no second loss.
    auto result = encode(syntax == EXS_JPEGLSLossy ? EXS_JPEGLSLossless : syntax, format, native);
    auto read_back = format;
    if (decode(syntax, read_back, result) != native || read_back.by_plane != format.by_plane) {
        throw Error{ErrorKind::Refused, "its pixels do not come through their codec unchanged"};
    }
    return result;
}

Colours colours_of(const PixelFormat& format)
{
    return format.photometric == "MONOCHROME1" ? Colours::BlackIsHigh
           : format.photometric == "RGB"       ? Colours::RedGreenBlue
                                               : Colours::Usual;
}

} // namespace

bool can_repaint(std::string_view transfer_syntax)
{
    return syntax_of(transfer_syntax) != nullptr;
}

std::string repaint(const PaintJob& job, std::string_view frame)
{
    const auto* const syntax = syntax_of(job.transfer_syntax);
    if (syntax == nullptr) {
        throw Error{ErrorKind::Refused, "its transfer syntax cannot be painted"};
    }
    if (syntax->by_blocks && job.overlay_bits != 0) {
        throw Error{ErrorKind::Refused, "overlays in lossy pixels cannot be cleared"};
    }
    return syntax->by_blocks ? repaint_blocks(frame, job.boxes, colours_of(job.format))
                             : repaint_losslessly(syntax->number, job, frame);
}

} // namespace dcmpipe::deid
