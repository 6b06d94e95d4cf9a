"""Invented people, in ten scripts, from a seed: nobody is meant, and every value can be found by its bytes."""

import dataclasses
import datetime
import random

#: script: (Specific Character Set, romanised names needed, family names, given names)
SCRIPTS = {
    "latin": ("ISO_IR 100", False, ["Smithson", "Brennecke", "Okonjo-Weber", "Quillfeather", "Doe", "Parkinson", "Stone", "Müller", "Ng"],
              ["Jane", "Rudolph", "Amalia", "Theodora", "Jo"]),
    "latin-2": ("ISO_IR 101", False, ["Łuczyński", "Dvořáček", "Szőllősi"], ["Żaneta", "Bedřiška", "Györgyi"]),
    "greek": ("ISO_IR 126", False, ["Παπαδόπουλος", "Καραγιάννης"], ["Θεοδώρα", "Ευάγγελος"]),
    "cyrillic": ("ISO_IR 144", False, ["Люксембург", "Чайковская"], ["Розалия", "Владимир"]),
    "hebrew": ("ISO_IR 138", False, ["רוזנברג", "אברהמסון"], ["דבורה", "ירמיהו"]),
    "arabic": ("ISO_IR 127", False, ["العبيدي", "المنصور"], ["قباني", "فاطمة"]),
    "thai": ("ISO_IR 166", False, ["รัตนพันธ์", "ศรีสุวรรณ"], ["สมชาย", "กาญจนา"]),
    "chinese": ("GB18030", True, ["歐陽", "司马", "王"], ["小龍", "婷婷"]),
    "japanese": ("\\ISO 2022 IR 87", True, ["山田", "長谷川"], ["太郎", "花子"]),
    "korean": ("\\ISO 2022 IR 149", True, ["남궁", "홍"], ["길동", "순희"]),
}
ROMANISED = {
    "歐陽": "Ouyang", "司马": "Sima", "王": "Wang", "小龍": "Xiaolong", "婷婷": "Tingting", "山田": "Yamada",
    "長谷川": "Hasegawa", "太郎": "Taroh", "花子": "Hanako", "남궁": "Namgung", "홍": "Hong", "길동": "Gildong",
    "순희": "Soonhee",
}
STAFF = ["Referson^Rupert", "Operanda^Olga", "Readwell^Ruth", "Requesta^Ramon", "Schedlin^Sven"]
PLACES = ["Mercyfield General", "Hopewell Klinikum", "Saint Orsola Hospital", "Bridgewater Infirmary"]
STREETS = ["Larkspur Lane", "Quarrystone Road", "Fliederweg", "Via Cipresso"]


@dataclasses.dataclass
class Person:
    script: str
    charset: str
    family: str
    given: str
    pn: str              #: Patient's Name as it is written
    id: str
    issuer: str
    birth: str
    age: str
    sex: str
    accession: str
    phone: str
    address: str
    mail: str
    institution: str
    physicians: list

    @property
    def parts(self):
        """Every word of the name, romanised ones too."""
        words = [self.family, self.given, *(ROMANISED[w] for w in (self.family, self.given) if w in ROMANISED)]
        return words

    def date(self, random_, years=(2005, 2023)):
        day = datetime.date(random_.randint(*years), 1, 1) + datetime.timedelta(days=random_.randrange(365))
        return day.strftime("%Y%m%d")


def people(seed, count):
    """`count` people; script after script."""
    rng = random.Random(f"people {seed}")
    found = []
    for number in range(count):
        script = list(SCRIPTS)[number % len(SCRIPTS)]
        charset, romanised, families, givens = SCRIPTS[script]
        family, given = rng.choice(families), rng.choice(givens)
        pn = f"{ROMANISED[family]}^{ROMANISED[given]}={family}^{given}" if romanised else f"{family}^{given}"
        birth_year = rng.randint(1931, 2004)
        found.append(Person(
            script=script, charset=charset, family=family, given=given, pn=pn,
            id=f"MRN{rng.randrange(10**7, 10**8)}", issuer=rng.choice(["", "MERCYFIELD", "HOPEWELL"]),
            birth=f"{birth_year}{rng.randint(1, 12):02}{rng.randint(1, 28):02}",
            age=f"{rng.randint(20, 88):03}Y", sex=rng.choice("FMO"),
            accession=f"ACC{rng.randrange(10**6, 10**7)}", phone=f"+49 30 {rng.randrange(10**6, 10**7)}",
            address=f"{rng.randint(2, 199)} {rng.choice(STREETS)}", mail=f"contact{rng.randrange(10**5)}@example.org",
            institution=rng.choice(PLACES), physicians=rng.sample(STAFF, 3)))
    return found
