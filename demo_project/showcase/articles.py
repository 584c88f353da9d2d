"""What the magazine has printed, and what lies in its drawers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import User

from demo_project.articles.models import Article, Report


@dataclass(frozen=True)
class Text:
    """An article to be."""

    author: str
    title: str
    body: str
    published: bool = True


TEXTS = [
    Text(
        "alice",
        "Why the tide comes twice",
        "Most people know that the moon pulls at the sea. Fewer can say why high water comes "
        "twice a day and not once.\n\n"
        "The moon pulls hardest at the water that is nearest to it, so that water heaps up. But it "
        "also pulls at the earth itself, harder than at the water on the far side, and so the far "
        "water is left behind a little: a second heap. The earth turns below both of them. In one "
        "day each harbour passes under two.\n\n"
        "It takes the moon fifty minutes longer each day to be in the same place again, which is "
        "why the ferry's timetable looks as if someone had shuffled it.",
    ),
    Text(
        "bob",
        "Bread for people who have no time",
        "Four things go into it: flour, water, salt, and a night. Stir the first three with a "
        "thimble of yeast in the evening. Do not knead. Cover the bowl and go to bed.\n\n"
        "While you sleep the dough kneads itself: the proteins find each other, slowly, because "
        "nobody hurries them. In the morning fold it twice, heat a heavy pot with its lid, drop "
        "the dough into it and bake for forty minutes, the last ten with the lid off.\n\n"
        "You have worked for six minutes. The oven will tell everyone otherwise.",
    ),
    Text(
        "alice",
        "The lighthouse keeper's logbook",
        "For thirty-one years the keeper of the north light wrote one line a day. Wind, sea, "
        "ships seen, oil burnt. We read all of them last winter.\n\n"
        "Eleven thousand lines, and hardly an opinion among them. But the hand tells what the "
        "words leave out: large and hasty in the great storm, small and square in the year his "
        "daughter was ill, and on the day the light became electric, a full stop so heavy that "
        "it went through the paper.",
    ),
    Text(
        "bob",
        "How to read a nautical chart",
        "Begin with what is not there. The white parts of a chart are not empty: they are the "
        "water deep enough that nobody worried. Blue is where you should begin to.\n\n"
        "The small numbers are depths at the lowest tide that anyone expects, so on most days you "
        "have more water than they say. The date in the corner matters more than all of them. "
        "Sand walks. A chart is a letter from the past about the bottom of the sea.",
    ),
    Text(
        "ed",
        "A letter to our readers",
        "This magazine has four people, one kettle, and no advertisements. We print what we would "
        "like to read and could not find.\n\n"
        "If something in it is wrong, write to us. We correct on the first page and not on the "
        "last, with the name of whoever caught it, if they like. So far the retired harbour master "
        "leads by nine.",
    ),
    Text(
        "alice",
        "What the gulls are saying",
        "There are about nine calls, and once you know three of them a walk along the quay is a "
        "different walk. The long one, head down and then thrown back, is a door plate: I live "
        "here. The soft cackle is worry. The short mew is for the family.\n\n"
        "The one that sounds like laughing, when they have taken your lunch, seems to be meant for "
        "other gulls. We asked two ornithologists. They were not sure either.",
    ),
    Text(
        "bob",
        "Mending a net, and other patient things",
        "A net is a drawing made of one line. To mend it you cut away until the hole has a clean "
        "edge: you make it larger first. That is the part that beginners cannot do.\n\n"
        "Then the needle goes in at a mesh with three legs and comes out at a mesh with three "
        "legs, and everything between is the same knot, as often as it takes. Old Marten does a "
        "square metre an hour. He says that he is not patient. He just does not count.",
    ),
    Text(
        "alice",
        "The shortest ferry line in the country",
        "It crosses ninety metres of water and takes three minutes, two of them for tying up. "
        "There has been a plan for a bridge since before the war, any war.\n\n"
        "In the mornings it carries schoolchildren, who are not allowed to run, and run. In the "
        "evenings it carries people who could have walked around and didn't, because three "
        "minutes in the middle of a river are three minutes in the middle of a river.",
    ),
    Text(
        "bob",
        "Salt",
        "A bucket of sea water holds about a cupful. To get it out you need sun or fire, and for "
        "two thousand years this coast used both: pans on the flats in the summer, peat and iron "
        "kettles in the winter.\n\n"
        "The words stayed longer than the trade. A salary was the money for it. A salad was what "
        "you did with it. And everyone in the three villages by the flats still says that a "
        "thing well done is *worth its boiling*.",
    ),
    Text(
        "alice",
        "Draft: the night the fog bell stopped",
        "Nobody noticed it beginning to ring, that is how fog is. Everyone noticed when it "
        "stopped.\n\nTo do: talk to the pilot's widow. Check the year. Find the bell.",
        published=False,
    ),
    Text(
        "bob",
        "Draft: seven knots that are enough",
        "Bowline, clove hitch, figure of eight, sheet bend, round turn and two half hitches, "
        "rolling hitch, reef knot (for reefing only, please).\n\n"
        "To do: drawings. Ask Marten whether seven is too many.",
        published=False,
    ),
    Text(
        "ed",
        "Draft: the next ten issues",
        "One on weather that did not happen. One that can be read backwards. One for children, "
        "without telling the adults.\n\nTo do: count the money, then cross out half.",
        published=False,
    ),
]

COPIES_IN_2026 = [412, 398, 455, 467, 520, 611, 702, 688, 540, 471]
PRICE = Decimal("4.50")


def load(users: dict[str, User]) -> None:
    """Put the articles and the sales in, where they are missing.

    Args:
        users: the people by user name.
    """
    for text in TEXTS:
        Article.objects.get_or_create(
            title=text.title,
            defaults={
                "author": users[text.author],
                "body": text.body,
                "published": text.published,
            },
        )
    for month, copies in enumerate(COPIES_IN_2026, start=1):
        Report.objects.get_or_create(
            month=date(2026, month, 1),
            defaults={"copies": copies, "revenue": copies * PRICE},
        )
