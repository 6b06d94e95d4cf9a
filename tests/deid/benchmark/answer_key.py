"""The answer key: MIDI-B's table `answer_data`, and `x_checks` for what MIDI-B cannot see.

A path is written as MIDI-B writes it, `<(0008,1140)>[<0000>]<(0008,1155)>`, private elements by their creator,
`<(0019,"CREATOR",0C)>`; values stand between `<` and `>`.
"""

import json
import re
import sqlite3

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.tag import Tag

#: action: what a failure is
LEAK, SCRUB, BROKEN = "leak", "over-scrub", "broken"
KIND = {
    "text_removed": LEAK, "date_shifted": LEAK, "uid_changed": LEAK, "pixels_hidden": LEAK,
    "tag_retained": SCRUB, "text_notnull": BROKEN, "text_retained": SCRUB, "pixels_retained": SCRUB,
    "uid_consistent": BROKEN, "patid_consistent": BROKEN,
    # ours
    "raw_absent": LEAK, "name_absent": LEAK, "withheld_or_clean": LEAK, "pixel_box_dark": LEAK,
    "pixel_outside_equal": SCRUB, "delivered": SCRUB,
    "interval_kept": BROKEN, "refs_closed": BROKEN, "patients_distinct": BROKEN, "rerun_same": BROKEN,
    "dciodvfy_delta": BROKEN, "markers": BROKEN, "batch_survives": BROKEN, "restore_equal": BROKEN,
}
CATEGORY = {
    "text_removed": "hipaa", "date_shifted": "HIPAA-C", "uid_changed": "HIPAA-R", "pixels_hidden": "HIPAA-A",
    "tag_retained": "dicom.iod", "text_notnull": "dicom.iod", "text_retained": "tcia.rev",
    "pixels_retained": "TCIA-P15-PIX-K", "uid_consistent": "DICOM-P15-BASIC-U", "patid_consistent": "DICOM-P15-BASIC-C",
}


def path_of(*steps):
    """Keywords, tags, (group, creator, element) and item numbers, as MIDI-B writes them."""
    text = ""
    for step in steps:
        if isinstance(step, int) and step < 0x10000:
            text += f"[<{step:04}>]"
        elif isinstance(step, tuple):
            text += f'<({step[0]:04X},"{step[1].upper()}",{step[2]:02X})>'
        else:
            tag = Tag(tag_for_keyword(step) if isinstance(step, str) else step)
            text += f"<({tag.group:04X},{tag.elem:04X})>"
    return text


_STEP = re.compile(r'<\(([0-9A-Fa-f]{4}),(?:"([^"]*)",([0-9A-Fa-f]{2})|([0-9A-Fa-f]{4}))\)>|\[<(\d{4})>\]')


def steps_of(path):
    for group, creator, low, element, number in _STEP.findall(path):
        if number:
            yield int(number)
        elif creator:
            yield int(group, 16), creator, int(low, 16)
        else:
            yield Tag(int(group, 16), int(element, 16))


class Key:
    """Gathers checks an instance, and the extra ones; writes and reads the SQLite file."""

    def __init__(self):
        self.instances = {}  #: file name: (data of the row, [answer, ...])
        self.extra = []      #: (file name or "", check, detail)

    def instance(self, file, ds):
        self.instances[file] = ({
            "Modality": str(ds.get("Modality", "")), "SOPClassUID": str(ds.SOPClassUID), "PatientID": str(ds.PatientID),
            "StudyInstanceUID": str(ds.StudyInstanceUID), "SeriesInstanceUID": str(ds.SeriesInstanceUID),
            "SOPInstanceUID": str(ds.SOPInstanceUID)}, [])

    def add(self, file, action, path, text="", value=""):
        steps = list(steps_of(path))
        name = "private" if isinstance(steps[-1], tuple) else keyword_for_tag(steps[-1])
        self.instances[file][1].append({
            "scope": "<Instance>", "tag": path[path.rindex("<("):], "tag_ds": path, "tag_name": f"<{name}>", "value": f"<{value or text}>", "action": f"<{action}>",
            "action_text": f"<{text}>", "answer_category": f"<{CATEGORY[action]}>"})

    def extra_check(self, file, check, **detail):
        self.extra.append((file, check, detail))

    def save(self, path):
        db = sqlite3.connect(path)
        db.executescript(
            'create table answer_data("index" integer, "group" text, Modality text, SOPClassUID text, PatientID text,'
            " StudyInstanceUID text, SeriesInstanceUID text, SOPInstanceUID text, Digest text, AnswerData text, scope text);"
            "create table x_checks(file text, check_name text, detail text);")
        for number, (file, (row, answers)) in enumerate(self.instances.items()):
            data = json.dumps({str(n): answer for n, answer in enumerate(answers)}, ensure_ascii=False)
            db.execute("insert into answer_data values (?,?,?,?,?,?,?,?,?,?,?)", (
                number, file, *row.values(), "", data, "<Instance>"))
        db.executemany(
            "insert into x_checks values (?,?,?)", [(f, c, json.dumps(d, ensure_ascii=False)) for f, c, d in self.extra])
        db.commit()
        db.close()


def load(path):
    """([(file, row, [answer, ...]), ...], [(file, check, detail), ...])"""
    db = sqlite3.connect(path)
    columns = "Modality, SOPClassUID, PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID"
    instances = []
    for file, data, *row in db.execute(f'select "group", AnswerData, {columns} from answer_data order by "index"'):
        answers = [{k: v if k.startswith("tag") else v[1:-1] for k, v in a.items()} for a in json.loads(data).values()]
        instances.append((file, dict(zip(columns.split(", "), row)), answers))
    extra = [(f, c, json.loads(d)) for f, c, d in db.execute("select * from x_checks order by rowid")]
    db.close()
    return instances, extra
