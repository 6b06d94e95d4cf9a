#include "studies.hpp"

namespace studies {

void make_mixed_study(Visit& visit, Store& store, const std::string& folder)
{
    make_encodings(visit, store, folder);
    make_compressed(visit, store, folder);
    make_graphics(visit, store, folder);
    make_hidden(visit, store, folder);
    make_document(visit, store, folder);
}

} // namespace studies
