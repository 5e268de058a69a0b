"""Every word the page shows, in every language, in one table; how a number is written is the browser's matter.

Ids of stations, processes, faults and models are names, not words: they are shown as they are.
"""

from collections.abc import Sequence
from typing import NamedTuple

LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}
RIGHT_TO_LEFT = frozenset({"ar"})


class Text(NamedTuple):
    """One text; all languages must be there, because the fields are."""

    en: str
    fr: str
    ar: str


TEXTS: dict[str, Text] = {
    "title": Text("Line", "Ligne", "الخط"),
    "language": Text("Language", "Langue", "اللغة"),
    "noscript": Text(
        "This page needs JavaScript to follow the line.",
        "Cette page a besoin de JavaScript pour suivre la ligne.",
        "تحتاج هذه الصفحة إلى JavaScript لمتابعة الخط.",
    ),
    # mode
    "mode": Text("Mode", "Mode", "الحالة"),
    "mode.stopped": Text("Stopped", "Arrêtée", "متوقف"),
    "mode.idle": Text("Idle", "En attente", "جاهز"),
    "mode.starting": Text("Starting", "Démarrage", "قيد التشغيل"),
    "mode.execute": Text("Sorting", "Tri en cours", "يفرز"),
    "mode.held": Text("Held", "En pause", "معلّق"),
    "mode.suspended": Text("Suspended", "Suspendue", "موقوف مؤقتًا"),
    "mode.resetting": Text("Resetting", "Réarmement", "إعادة ضبط جارية"),
    "mode.holding": Text("Holding", "Mise en pause", "يُعلَّق"),
    "mode.unholding": Text("Resuming", "Reprise", "يُستأنف"),
    "mode.suspending": Text("Suspending", "Suspension", "يوقَف مؤقتًا"),
    "mode.unsuspending": Text("Resuming", "Reprise", "يُستأنف"),
    "mode.stopping": Text("Stopping", "Arrêt en cours", "يتوقف"),
    "mode.aborting": Text("Aborting", "Interruption", "يُجهَض"),
    "mode.clearing": Text("Clearing", "Acquittement", "يُخلى"),
    "mode.aborted": Text("Aborted", "Interrompue", "أُجهض"),
    "mode.unknown": Text("Unknown", "Inconnu", "غير معروف"),
    "request.start": Text("Start", "Démarrer", "تشغيل"),
    "request.stop": Text("Stop", "Arrêter", "إيقاف"),
    "request.hold": Text("Hold", "Pause", "تعليق"),
    "request.unhold": Text("Resume", "Reprendre", "استئناف"),
    "request.reset": Text("Reset", "Réarmer", "إعادة ضبط"),
    "request.sent": Text("asked", "demandé", "أُرسل الطلب"),
    "request.refused": Text("not accepted", "non accepté", "لم يُقبل"),
    "request.elsewhere": Text(
        "This screen shows only; the line is operated on its own machine.",
        "Écran d'affichage seul ; la ligne se commande sur sa propre machine.",
        "هذه الشاشة للعرض فقط؛ يُشغَّل الخط من جهازه.",
    ),
    "stale": Text("old", "ancien", "قديم"),
    # headline figures
    "belt_speed": Text("Belt speed", "Vitesse du tapis", "سرعة السير"),
    "decided_per_min": Text("Items per minute", "Objets par minute", "قطع في الدقيقة"),
    "missed_windows": Text("Missed windows", "Fenêtres manquées", "نوافذ فائتة"),
    "latency": Text("Frame to command", "De l'image à l'ordre", "من الصورة إلى الأمر"),
    "latency.p50": Text("median", "médiane", "الوسيط"),
    "latency.p99": Text("99th percentile", "99e centile", "المئين 99"),
    "commands": Text("of {n} commands", "sur {n} ordres", "من {n} أمر"),
    # picture
    "picture": Text("Live picture", "Image en direct", "الصورة الحيّة"),
    "picture.missing": Text("Waiting for the first picture", "En attente de la première image", "في انتظار أول صورة"),
    "picture.stale": Text("Picture is old", "Image ancienne", "الصورة قديمة"),
    "picture.standing": Text("Belt stands still", "Tapis à l'arrêt", "السير متوقف"),
    "picture.lost": Text("No connection to the line", "Pas de liaison avec la ligne", "لا اتصال بالخط"),
    "picture.age": Text("since {age}", "depuis {age}", "منذ {age}"),
    "picture.delay": Text("picture is {ms} ms old", "image vieille de {ms} ms", "عمر الصورة {ms} ms"),
    "picture.keep": Text("Keep this picture", "Garder cette image", "احفظ هذه الصورة"),
    "picture.undecided": Text(
        "Boxes only: the sorter is silent, nothing new is decided",
        "Cadres seuls : le module sorter est muet, rien de nouveau n'est décidé",
        "إطارات فقط: وحدة sorter صامتة ولا قرارات جديدة",
    ),
    "legend.ejected": Text("will be ejected", "sera éjecté", "سيُقذف"),
    "legend.planned": Text("planned, may still change", "prévu, peut changer", "مخطَّط وقد يتغيّر"),
    "legend.passes": Text("passes", "passe", "يمرّ"),
    # stations
    "stations": Text("Stations", "Stations", "المحطات"),
    "purity": Text("Purity", "Pureté", "النقاء"),
    "recovery": Text("Recovery", "Récupération", "الاسترداد"),
    "interval": Text("{low} to {high}", "{low} à {high}", "{low} إلى {high}"),
    "gauge": Text("95 % interval, line: target", "intervalle à 95 %, trait : cible", "فاصل ثقة 95 %، الخط: الهدف"),
    "below_target": Text("below target", "sous la cible", "دون الهدف"),
    "no_truth": Text("needs samples", "échantillons requis", "يحتاج إلى عيّنات"),
    "nothing_yet": Text("nothing yet", "rien encore", "لا شيء بعد"),
    "ejected_of": Text(
        "{ejected} ejected, {presented} presented",
        "{ejected} éjectés, {presented} présentés",
        "قُذف {ejected} وعُرض {presented}",
    ),
    "takes": Text("takes", "prend", "تأخذ"),
    # counts and decisions
    "counts": Text("Items by class", "Objets par classe", "القطع حسب الصنف"),
    "counts.total": Text("{n} items", "{n} objets", "{n} قطعة"),
    "decisions": Text("Latest decisions", "Dernières décisions", "آخر القرارات"),
    "reason.eject": Text("eject", "éjecter", "قذف"),
    "reason.unknown": Text("not sure enough", "pas assez sûr", "غير مؤكد"),
    "reason.no_station": Text("no station takes it", "aucune station", "لا محطة له"),
    "reason.neighbours": Text("neighbours too close", "voisins trop proches", "الجوار قريب جدًا"),
    "reason.too_few_views": Text("seen too little", "trop peu vu", "مشاهدات قليلة"),
    "reason.nothing": Text("hardly an item", "guère un objet", "ليس صنفًا على الأرجح"),
    "reason.off_bar": Text("beside the nozzles", "hors des buses", "خارج الفوهات"),
    "reason.too_late": Text("too late", "trop tard", "فات الأوان"),
    "reason.not_executing": Text("line not sorting", "ligne hors tri", "الخط لا يفرز"),
    # processes and faults
    "processes": Text("Processes", "Processus", "الوحدات"),
    "status.starting": Text("starting", "démarre", "يبدأ"),
    "status.ok": Text("running", "en marche", "يعمل"),
    "status.degraded": Text("degraded", "dégradé", "متراجع"),
    "status.fault": Text("fault", "défaut", "عطل"),
    "status.silent": Text("silent", "muet", "صامت"),
    "status.unheard": Text("not heard yet", "pas encore entendu", "لم يُسمع بعد"),
    "restarts": Text("restarts: {n}", "redémarrages : {n}", "إعادات التشغيل: {n}"),
    "faults": Text("Faults", "Défauts", "الأعطال"),
    "faults.none": Text("No faults", "Aucun défaut", "لا أعطال"),
    # what runs
    "model": Text("Model", "Modèle", "النموذج"),
    "detector": Text("Detector", "Détecteur", "الكاشف"),
    "precision": Text("Precision", "Précision", "الدقة العددية"),
    "views": Text("Views per item", "Vues par objet", "مشاهدات لكل قطعة"),
    "truth": Text("Truth", "Vérité", "الحقيقة"),
    "truth.known": Text("known (simulated line)", "connue (ligne simulée)", "معروفة (خط محاكى)"),
    "truth.unknown": Text("unknown", "inconnue", "غير معروفة"),
    # materials; a site's own classes are shown by their name
    "class.pet_clear": Text("PET clear", "PET clair", "PET شفاف"),
    "class.pet_coloured": Text("PET coloured", "PET coloré", "PET ملوّن"),
    "class.pet_oil": Text("PET oil", "PET huile", "PET زيت"),
    "class.hdpe": Text("HDPE", "PEHD", "HDPE"),
    "class.can": Text("Can", "Canette", "علبة معدنية"),
    "class.carton": Text("Carton", "Brique", "كرتون مشروبات"),
    "class.glass": Text("Glass", "Verre", "زجاج"),
    "class.paper_cardboard": Text("Paper, cardboard", "Papier, carton", "ورق وكرتون"),
    "class.residue": Text("Residue", "Refus", "نفايات متبقية"),
}


def language_of(asked: str | None, accepted: Sequence[str]) -> str:
    """The language to show: the one asked for, else the first the browser accepts that there is, else English."""
    for wish in (asked or "", *accepted):
        language = wish.lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return "en"


def texts_in(language: str) -> dict[str, str]:
    """All texts in one language."""
    return {key: str(getattr(text, language)) for key, text in TEXTS.items()}
