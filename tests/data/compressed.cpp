#include "capture.hpp"
#include "studies.hpp"

#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmimage/diregist.h> // without it there is no colour
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpeg/djrploss.h>
#include <dcmtk/dcmjpls/djencode.h>

namespace studies {

namespace {

/// DCMTK's encoders, registered for as long as it lives.
struct Encoders {
    Encoders()
    {
        DcmRLEEncoderRegistration::registerCodecs();
        // A new SOP Instance UID would be made from the time of day.
        DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);
        DJLSEncoderRegistration::registerCodecs();
    }
    Encoders(const Encoders&) = delete;
    Encoders& operator=(const Encoders&) = delete;
    ~Encoders()
    {
        DcmRLEEncoderRegistration::cleanup();
        DJEncoderRegistration::cleanup();
        DJLSEncoderRegistration::cleanup();
    }
};

void save_compressed(
    DcmFileFormat& file, Store& store, const std::string& path, std::string_view what,
    E_TransferSyntax syntax, const DcmRepresentationParameter* parameter)
{
    check(file.getDataset()->chooseRepresentation(syntax, parameter), "cannot compress");
    store.save(file, path, what, {.syntax = syntax});
}

/// Three frames, so that there is more than one fragment and an offset table.
void put_frames(DcmItem& data_set)
{
    const Uint16* one = nullptr;
    unsigned long count = 0;
    check(data_set.findAndGetUint16Array(DCM_PixelData, one, &count), "cannot read the pixels");
    std::vector<std::uint16_t> frames;
    for (unsigned frame = 0; frame < 3; ++frame) {
        frames.insert(frames.end(), one, one + count);
    }
    set(data_set, DCM_PixelData, frames);
    set(data_set, DCM_SOPClassUID, UID_MultiframeGrayscaleWordSecondaryCaptureImageStorage);
    set(data_set, DCM_NumberOfFrames, "3");
    set(data_set, DCM_FrameIncrementPointer, "(0018,2002)");
    set(data_set, DCM_FrameLabelVector, "FIRST\\SECOND\\THIRD");
    set(data_set, DCM_BurnedInAnnotation, "NO");
    set(data_set, DCM_RescaleIntercept, "0");
    set(data_set, DCM_RescaleSlope, "1");
    set(data_set, DCM_RescaleType, "US");
    set(data_set, DCM_PresentationLUTShape, "IDENTITY");
}

} // namespace

void make_compressed(Visit& visit, Store& store, const std::string& folder)
{
    const Encoders encoders;
    const DcmRLERepresentationParameter rle;
    const DJ_RPLossless lossless;
    const DJ_RPLossy lossy{90};
    const auto path = [&](std::string_view what) { return folder + "/" + std::string{what} + ".dcm"; };
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "rle", 1);
        save_compressed(file, store, path("rle"), "rle", EXS_RLELossless, &rle);
    }
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "rle frames", 1);
        put_frames(*file.getDataset());
        save_compressed(file, store, path("rle-frames"), "rle-frames", EXS_RLELossless, &rle);
    }
    {
        DcmFileFormat file;
        put_capture_of_bytes(*file.getDataset(), visit, "jpeg", 1, /*colour=*/true);
        save_compressed(file, store, path("jpeg"), "jpeg", EXS_JPEGProcess1, &lossy);
    }
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "jpeg lossless", 1);
        save_compressed(file, store, path("jpeg-lossless"), "jpeg-lossless", EXS_JPEGProcess14SV1, &lossless);
    }
    {
        DcmFileFormat file;
        put_capture(*file.getDataset(), visit, "jpeg-ls", 1);
        save_compressed(file, store, path("jpeg-ls"), "jpeg-ls", EXS_JPEGLSLossless, nullptr);
    }
}

} // namespace studies
