"""scripts/check-layers.sh: the tree keeps the order of its rooms, and a tree that does not is refused."""

import dpipe

CHECK = dpipe.ROOT / "scripts" / "check-layers.sh"


class Layers(dpipe.TestCase):
    def put(self, path, text):
        file = self.scratch / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def setUp(self):
        super().setUp()
        self.put("libdcmpipe/core/error.cpp", '#include "core/error.hpp"\n\n#include <string>\n')
        self.put("apps/dpipe.cpp", '#include "cli/command.hpp"\n#include "commands.inc"\n#include "deid/table.hpp"\n')

    def check(self):
        return dpipe.run("sh", CHECK, self.scratch)

    def refused(self, *words):
        result = self.check()
        self.assertEqual(result.code, 1, result.err)
        for word in words:
            self.assertIn(word, result.err)
        self.assertEqual(result.out, "")

    def test_this_tree_keeps_the_order(self):
        self.succeeds("sh", CHECK)

    def test_a_tree_in_order_passes(self):
        self.put("libdcmpipe/deid/a.cpp", '#include "pseudonym/key.hpp"\n# include "dicom/tag.hpp"\n')
        self.put("libdcmpipe/dicom/a.cpp", "#include <dcmtk/dcmdata/dctk.h>\n")
        result = self.check()
        self.assertEqual((result.code, result.err), (0, ""))

    def test_an_include_upwards(self):
        self.put("libdcmpipe/core/csv.cpp", '\n#include "dicom/tag.hpp"\n')
        self.refused("libdcmpipe/core/csv.cpp:2: core must not include 'dicom/tag.hpp'")

    def test_the_library_does_not_include_the_command_line(self):
        self.put("libdcmpipe/deid/batch.hpp", '  #  include "cli/context.hpp"\n')
        self.refused("deid must not include 'cli/context.hpp'")

    def test_sisters(self):
        self.put("libdcmpipe/net/node.cpp", '#include "archive/zip.hpp"\n')
        self.put("libdcmpipe/upload/http.cpp", '#include "pseudonym/key.hpp"\n')
        self.refused("net must not include 'archive/zip.hpp'", "upload must not include 'pseudonym/key.hpp'")

    def test_paths_that_hide_the_room(self):
        self.put("libdcmpipe/core/csv.cpp", '#include "../dicom/tag.hpp"\n')
        self.put("libdcmpipe/core/log.cpp", '#include "log.hpp"\n')
        self.refused("a path to '../dicom/tag.hpp'", "'log.hpp' names no room")

    def test_a_room_without_a_place(self):
        self.put("libdcmpipe/util/misc.cpp", "\n")
        self.refused("no place in the order for the room 'util'")

    def test_foreign_libraries_stay_out_of_headers(self):
        self.put("libdcmpipe/dicom/tag.hpp", "#include <dcmtk/dcmdata/dctk.h>\n")
        self.put("libdcmpipe/net/dul_connection.hpp", "#include <dcmtk/dcmnet/dul.h>\n")
        self.refused("libdcmpipe/dicom/tag.hpp: a foreign library in a header")
        self.assertNotIn("dul_connection", self.check().err)


if __name__ == "__main__":
    dpipe.main()
