"""What every key of rule, visits, dataset and settings files means, in Chinese: shown by editors beside the key.

A test holds that no key of the models is without its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.desk.init_settings import SAID as SETTINGS_SAID

_RULE = {
    "Rule.benefit": "待遇的代码，与文件名一致；与 finding 只写一个",
    "Rule.finding": "核查提示的代码，与文件名一致（放在 findings/ 里）；与 benefit 只写一个",
    "Rule.title": "名称，写在报告里",
    "Rule.owner": "主管部门，与数据说明里的部门写法一致",
    "Rule.law": "依据：文号、日期、条款；没有核实的写（待核）",
    "Rule.since": "从哪一天起施行，如 2016-01-01",
    "Rule.until": "到哪一天为止（含）；现行的不写",
    "Rule.strength": "entitlement 依法应享；quota 有名额，缺口是排队；lead 只是上门了解的线索",
    "Rule.question_if_not_due": "yes：在领而确定不符合条件的，列为“在领待核”，请人核实，从不停发",
    "Rule.subject": "核查提示针对谁：register 持证人；outside_register 名单上有、名册上没有的人",
    "Rule.list": "outside_register 时写：从哪份名单里找人，写 部门/名单",
    "Rule.only_confirmed": "yes：参数只用写明 confirmed: yes 的值",
    "Rule.pairs": "属于哪几项部门两两比对，如 [P3, P4]",
    "Rule.who": "条件，每一项都要符合",
    "Rule.except": "除外情形，有一项就不享受（不提示）",
    "Rule.received": "看到哪个事实就算已经享受（写事实名或条件）",
    "Rule.amount": "值多少钱",
    "Rule.urgency": "1 排在县报告最前，9 最后",
    "Rule.parameters": "按日期、地区变化的数，条件和 amount 里按名称使用",
    "Rule.not_checked": "名单查不出来、需要人核实的事，每项一句",
    "Rule.cases": "用例：没有给的事实都是未知；reconcile rules test 逐个运行",
    "Condition.id": "条件名，两三个字，用例的 because 里要用；一条规则里不重复",
    "Condition.say": "整句话，干部在报告里看到的就是它",
    "Condition.when": "条件：事实名、参数名、日期词、常数；and or not、比较、in (…)、between、+ - * /",
    "Condition.law": "与总的依据不同时才写",
    "Condition.certain": "yes：只在确定成立时才算，未知按不成立、不影响结论；只用于待遇规则的 except",
    "Parameter.unit": "单位，如 元/月、级、周岁、是否",
    "Parameter.values": "全国的值，按起始日期；没有全国的值写 {}",
    "Parameter.regions": "地方的值：省两位、州（市）四位、县六位代码，加引号；最长的先算",
    "Parameter.law": "这个参数的依据",
    "Parameter.confirmed": "yes：全国的值已对照正式文件核实",
    "RegionValues.values": "这个地区的值，按起始日期",
    "RegionValues.law": "这个地区的依据：文号、日期；没有核实的写（待核）",
    "RegionValues.confirmed": "yes：这个地区的值已对照正式文件核实",
    "Amount.per": "month 每月；year 每年；once 一次性",
    "Amount.value": "参数名；或按一个事实分档：{残疾等级: {1: 一级标准, 2: 二级标准}}",
    "Case.name": "用一句话写这是什么人、应当怎样",
    "Case.given": "已知的事实；没有写的都是未知，也可写 unknown",
    "Case.region": "六位区划代码，加引号；只到省或州（市）的后面补 0",
    "Case.as_of": "核对日期，如 2026-10-31",
    "Case.expect": "应得的结论",
    "Case.because": "起决定作用的条件名；只有是否已享受未知时写 received",
    "Case.confirmed": "yes：假定参数都已核实",
}
_VISITS = {
    "VisitSigns.title": "名称，写在走访名单上方",
    "VisitSigns.owner": "主管部门，与数据说明里的部门写法一致",
    "VisitSigns.law": "依据：文号、日期、条款；没有核实的写（待核）",
    "VisitSigns.parameters": "按日期、地区变化的数，各迹象的 when 里按名称使用",
    "VisitSigns.signs": "风险迹象，每项一个；有一项成立的人就列入走访名单",
    "VisitSigns.monitored": "条件：怎样算已是监测对象（名单上注明“是”）",
    "VisitSigns.not_checked": "名单查不出来、需要人核实的事，每项一句",
    "VisitSigns.cases": "用例：没有给的事实都是未知，未知的不算迹象；reconcile rules test 逐个运行",
    "Sign.id": "迹象名，几个字，用例的 expect 里要用；不重复，不含“+”",
    "Sign.say": "整句话，走访的人在名单上看到的就是它",
    "Sign.when": "条件：事实名、参数名、日期词、常数；确定成立才算。与 lost 至少写一个",
    "Sign.lost": "失去了哪些：是非事实的名称，更早一月的比对中有、现在确定没有的才算",
    "Sign.weight": "权重，1 最轻，9 最重；名单按各迹象权重之和排先后",
    "Sign.ask": "走访时问什么，整句话",
    "SignCase.name": "用一句话写这是什么人、应当怎样",
    "SignCase.given": "已知的事实；没有写的都是未知，也可写 unknown",
    "SignCase.before": "更早一月的比对所知的事实；只写 lost 里提到的",
    "SignCase.region": "六位区划代码，加引号；只到省或州（市）的后面补 0",
    "SignCase.as_of": "核对日期，如 2026-10-31",
    "SignCase.expect": "应出现的迹象，恰好这些；一个也没有就不写",
    "SignCase.monitored": "是否已是监测对象：yes、no、unknown；用例不问这件事就不写",
}
_DATASET = {
    "Dataset.dataset": "部门/名单，与文件夹和文件名一致，只用小写字母和下划线",
    "Dataset.title": "名单的中文名称",
    "Dataset.department": "部门的中文名称",
    "Dataset.grain": "一行是什么，写成一句话",
    "Dataset.role": "register 持证残疾人名册；deaths 死亡名单；其他都是 list",
    "Dataset.delivery": "怎样报送",
    "Dataset.person": "哪些列说的是这一行的本人（写列的代码）",
    "Dataset.household": "哪些列说的是这一行的户；按户的名单才写",
    "Dataset.live": "哪些行有效（条件）；不写就是每一行都算",
    "Dataset.unique_by": "每人只有一行时写 []；每人每种一行写那一列；可有多行就不写",
    "Dataset.fields": "各列，键是列的代码（小写字母、下划线）",
    "Dataset.facts": "规则里用的事实，键是事实名",
    "Delivery.by": "county 每县一份；prefecture 全州（市）一份",
    "Delivery.stale_after_days": "快照日期比核对日期早多少天以上就不再据以下结论",
    "FieldSpec.title": "列的名称",
    "FieldSpec.type": "种类：text 文字、name 姓名、id 身份证号、certificate 残疾人证号、date 日期、month 年月、"
    "year 年度、amount 金额、integer 整数、code 代码、region 行政区划",
    "FieldSpec.required": "yes：缺了这一列就不采用",
    "FieldSpec.headers": "见过的表头写法",
    "FieldSpec.county_headers": "只有某县这样写的表头，按六位区划代码",
    "FieldSpec.codes": "代码: [见过的写法]；写法里的空文字表示空格子也是这个意思",
    "FieldSpec.whole_number": "yes：代码是数（等级），可以比大小",
    "PersonRoles.name": "姓名列",
    "PersonRoles.id": "身份证号列",
    "PersonRoles.certificate": "残疾人证号列",
    "PersonRoles.birth_date": "出生日期列",
    "PersonRoles.sex": "性别列",
    "PersonRoles.category": "残疾类别列",
    "PersonRoles.level": "残疾等级列",
    "PersonRoles.area": "居住地区划代码列",
    "PersonRoles.address": "可能写明乡镇的文字列（住址、学校）",
    "PersonRoles.phone": "电话列",
    "PersonRoles.account": "收款账号列",
    "PersonRoles.guardian_name": "监护人姓名列",
    "PersonRoles.guardian_id": "监护人身份证号列",
    "HouseholdRoles.family": "户号列（逐人列出家庭成员的名单才有）",
    "HouseholdRoles.head_name": "户主姓名列",
    "HouseholdRoles.head_id": "户主身份证号列",
    "HouseholdRoles.relation": "与户主关系列",
    "FactSpec.of": "怎样得出：any(条件)、count(条件)、first(列 where 条件)、sum(列 where 条件)、age(日期) 等",
    "FactSpec.absent": "名单采用了而没有本人：no 就是“否”（名单齐全）；unknown 仍是未知（没有写明）",
    "FactSpec.say": "报告里怎样说：“名册中未见……”",
    "FactSpec.of_household": "yes：户主那一户的事实，户内各人都算",
}
_SETTINGS_MODELS = {
    "thresholds": "Thresholds",
    "matching": "Matching",
    "limits": "Limits",
    "counties": "CountySetting",
    "mail": "Mail",
    "period": "Period",
    "approval": "Approval",
    "retention": "Retention",
}


def _settings_key(key: str) -> str:
    """`matching.weights` of the settings file is `Matching.weights` of the models."""
    table, _, name = key.partition(".")
    return f"{_SETTINGS_MODELS.get(table, table)}.{name}" if name else f"Settings.{key}"


KEY_WORDS: Mapping[str, str] = MappingProxyType(
    {**_RULE, **_VISITS, **_DATASET, **{_settings_key(key): said for key, said in SETTINGS_SAID.items()}}
)
