"""Delivery: period, letters, outbox, egress check, SMTP; the only room with a network."""

from pipeline.delivery.anew import plan_anew as plan_anew
from pipeline.delivery.anew import without as without
from pipeline.delivery.dispatch import Tally as Tally
from pipeline.delivery.dispatch import dispatch as dispatch
from pipeline.delivery.mail_night import Mailed as Mailed
from pipeline.delivery.mail_night import Post as Post
from pipeline.delivery.mail_night import deliver as deliver
from pipeline.delivery.mail_night import post_office as post_office
from pipeline.delivery.mail_night import recover_letters as recover_letters
from pipeline.delivery.plan import MailPlan as MailPlan
from pipeline.delivery.plan import plan_mail as plan_mail
