"""English adjectives and names of peoples, and the country that each belongs to.

Only words that no rule of letters finds (Dutch, Burmese, Argentine); one word may also be a
language or a people, so what it gives is one candidate and one signal, never a decision.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COUNTRY_OF"]

_TABLE = """
afghan Afghanistan|albanian Albania|algerian Algeria|american United States|angolan Angola
argentine Argentina|argentinian Argentina|armenian Armenia|australian Australia|austrian Austria
azerbaijani Azerbaijan|bahraini Bahrain|bangladeshi Bangladesh|belarusian Belarus|belgian Belgium
bhutanese Bhutan|bolivian Bolivia|bosnian Bosnia and Herzegovina|brazilian Brazil
british United Kingdom|briton United Kingdom|bulgarian Bulgaria|burmese Myanmar|cambodian Cambodia
cameroonian Cameroon|canadian Canada|chadian Chad|chilean Chile|chinese China|colombian Colombia
congolese Democratic Republic of the Congo|costa rican Costa Rica|croatian Croatia|cuban Cuba
cypriot Cyprus|czech Czech Republic|danish Denmark|dane Denmark|dutch Netherlands
ecuadorian Ecuador|egyptian Egypt|english England|eritrean Eritrea|estonian Estonia
ethiopian Ethiopia|fijian Fiji|filipino Philippines|finnish Finland|finn Finland|french France
georgian Georgia|german Germany|ghanaian Ghana|greek Greece|guatemalan Guatemala|guinean Guinea
haitian Haiti|honduran Honduras|hungarian Hungary|icelandic Iceland|indian India
indonesian Indonesia|iranian Iran|iraqi Iraq|irish Ireland|israeli Israel|italian Italy
ivorian Ivory Coast|jamaican Jamaica|japanese Japan|jordanian Jordan|kazakh Kazakhstan
kenyan Kenya|korean South Korea|kosovar Kosovo|kuwaiti Kuwait|kyrgyz Kyrgyzstan|laotian Laos
latvian Latvia|lebanese Lebanon|liberian Liberia|libyan Libya|lithuanian Lithuania
macedonian North Macedonia|malagasy Madagascar|malawian Malawi|malaysian Malaysia|malian Mali
maltese Malta|mauritanian Mauritania|mexican Mexico|moldovan Moldova|mongolian Mongolia
montenegrin Montenegro|moroccan Morocco|mozambican Mozambique|namibian Namibia|nepalese Nepal
nepali Nepal|new zealander New Zealand|nicaraguan Nicaragua|nigerian Nigeria
north korean North Korea|norwegian Norway|omani Oman|pakistani Pakistan
palestinian State of Palestine|panamanian Panama|paraguayan Paraguay|peruvian Peru|polish Poland
portuguese Portugal|qatari Qatar|romanian Romania|russian Russia|rwandan Rwanda
salvadoran El Salvador|saudi Saudi Arabia|scottish Scotland|senegalese Senegal|serbian Serbia
singaporean Singapore|slovak Slovakia|slovenian Slovenia|slovene Slovenia|somali Somalia
south african South Africa|south korean South Korea|soviet Soviet Union|spanish Spain
spaniard Spain|sri lankan Sri Lanka|sudanese Sudan|swedish Sweden|swede Sweden
swiss Switzerland|syrian Syria|taiwanese Taiwan|tajik Tajikistan|tanzanian Tanzania|thai Thailand
tibetan Tibet|tunisian Tunisia|turkish Turkey|turk Turkey|turkmen Turkmenistan|ugandan Uganda
ukrainian Ukraine|emirati United Arab Emirates|uruguayan Uruguay|uzbek Uzbekistan
venezuelan Venezuela|vietnamese Vietnam|welsh Wales|yemeni Yemen|zambian Zambia
zimbabwean Zimbabwe|european Europe|african Africa|asian Asia|u.s. United States
us United States|u.k. United Kingdom|uk United Kingdom
"""


def _parsed() -> dict[str, str]:
    pairs = [line.strip() for row in _TABLE.strip().splitlines() for line in row.split("|")]
    two_words = ("new ", "north ", "south ", "costa ", "sri ")
    found = {}
    for pair in pairs:
        cut = 2 if pair.startswith(two_words) else 1
        words = pair.split()
        found[" ".join(words[:cut])] = " ".join(words[cut:])
    return found


COUNTRY_OF: Mapping[str, str] = _parsed()
"""Country by adjective, the adjective in lower case."""
