"""What a dashboard is made of: panels that lay themselves out, rows, variables. Of Grafana's format only what differs
from its defaults is written."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
GREEN, ORANGE, RED, BLUE = "green", "orange", "red", "blue"


def good_above(*limits):
    """Red below the first limit, orange below the second."""
    return _steps((RED, None), (ORANGE, limits[0]), (GREEN, limits[1]))


def bad_above(*limits):
    """Green below the first limit, orange below the second."""
    return _steps((GREEN, None), (ORANGE, limits[0]), (RED, limits[1]))


def bad_from(limit):
    return _steps((GREEN, None), (RED, limit))


def good_from(limit):
    return _steps((RED, None), (GREEN, limit))


def _steps(*steps):
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in steps]}


PLAIN = _steps((BLUE, None))


def _queries(pairs, **more):
    return [
        {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expr, "legendFormat": legend, **more}
        for number, (expr, legend) in enumerate(pairs)
    ]


def _panel(kind, title, about, targets, width, height, defaults, options, overrides=()):
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "targets": targets,
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
    }


def stat(title, expr, unit="short", steps=PLAIN, about="", width=3, legend="", words=None, decimals=None):
    """One figure, as it is now. `words` says values in words: {0: ("down", "red")}."""
    defaults = {"unit": unit, "thresholds": steps, "color": {"mode": "thresholds"}, "mappings": _mappings(words)}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "area",
        "textMode": "auto",
        "justifyMode": "center",
    }
    return _panel("stat", title, about, _queries([(expr, legend)]), width, 4, defaults, options)


def _mappings(words):
    if not words:
        return []
    options = {str(value): {"text": text, "color": color} for value, (text, color) in words.items()}
    return [{"type": "value", "options": options}]


def graph(title, *pairs, unit="short", threshold=None, about="", width=8, stack=False, least=0, most=None):
    """Lines over time. `threshold` names one of monitoring_thresholds, drawn as a dashed line."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 25 if stack else 8,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
    }
    defaults = {"unit": unit, "min": least, "color": {"mode": "palette-classic"}, "custom": custom}
    if most is not None:
        defaults["max"] = most
    overrides = []
    if threshold:
        pairs = [*pairs, (f"cistern:threshold:{threshold}", "threshold")]
        dashed = {"fill": "dash", "dash": [8, 8]}
        overrides = [
            {
                "matcher": {"id": "byName", "options": "threshold"},
                "properties": [
                    {"id": "custom.lineStyle", "value": dashed},
                    {"id": "custom.fillOpacity", "value": 0},
                    {"id": "custom.stacking", "value": {"mode": "none", "group": "B"}},
                    {"id": "color", "value": {"mode": "fixed", "fixedColor": RED}},
                ],
            }
        ]
    options = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, about, _queries(pairs), width, 8, defaults, options, overrides)


def timeline(title, expr, legend, words, about="", width=12):
    """States over time, in words."""
    defaults = {
        "mappings": _mappings(words),
        "color": {"mode": "thresholds"},
        "thresholds": PLAIN,
        "custom": {"fillOpacity": 75, "lineWidth": 0},
    }
    options = {"mergeValues": True, "showValue": "never", "rowHeight": 0.8, "legend": {"showLegend": True}}
    return _panel("state-timeline", title, about, _queries([(expr, legend)]), width, 8, defaults, options)


def bars(title, expr, legend, unit="short", steps=PLAIN, about="", width=8):
    """One bar a series, the longest first."""
    defaults = {"unit": unit, "min": 0, "thresholds": steps, "color": {"mode": "thresholds"}}
    options = {
        "orientation": "horizontal",
        "displayMode": "basic",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
    }
    return _panel(
        "bargauge", title, about, _queries([(f"sort_desc({expr})", legend)], instant=True), width, 8, defaults, options
    )


def table(title, columns, key, about="", width=24, hidden=()):
    """A row for each value of the label `key`; columns are (title, expr, unit)."""
    targets = _queries([(expr, "") for _title, expr, _unit in columns], instant=True, format="table", range=False)
    names = {f"Value #{target['refId']}": column[0] for target, column in zip(targets, columns)}
    if len(columns) == 1:
        names = {"Value": columns[0][0]}
    overrides = [
        {"matcher": {"id": "byName", "options": title_}, "properties": [{"id": "unit", "value": unit}]}
        for title_, _expr, unit in columns
    ]
    panel = _panel(
        "table",
        title,
        about,
        targets,
        width,
        10,
        {"custom": {"align": "auto", "filterable": True}},
        {"showHeader": True, "sortBy": [{"displayName": columns[0][0], "desc": True}]},
        overrides,
    )
    hide = dict.fromkeys(["Time", "__name__", "job", *hidden], True)
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": hide, "renameByName": names, "indexByName": {key: 0}}},
    ]
    return panel


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": WIDTH, "h": 1}}


def choice(name, query, several=True):
    """A variable of the dashboard: which values of a label to show."""
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "allValue": ".*" if several else None,
        "current": {"text": "All", "value": "$__all"} if several else {},
    }


def dashboard(uid, title, about, panels, choices=()):
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus", "current": {}}
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["cistern"],
        "schemaVersion": 37,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source, *choices]},
        "annotations": {"list": [_failovers()]},
        "links": [
            {"title": "Cistern", "type": "dashboards", "tags": ["cistern"], "asDropdown": True, "keepTime": True}
        ],
        "panels": list(_laid_out(panels)),
    }


def _failovers():
    """A mark where the primary of a deployment changed."""
    expr = 'ALERTS{alertname="RedisFailover", alertstate="firing"}'
    return {
        "name": "Failovers",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": RED,
        "expr": expr,
        "titleFormat": "Failover",
        "textFormat": "{{deployment}}",
    }


def _laid_out(panels):
    """From the left to the right, a new line where one is full or a row begins."""
    left = top = height = 0
    for number, panel in enumerate(panels, 1):
        size = panel["gridPos"]
        if left + size["w"] > WIDTH:
            left, top, height = 0, top + height, 0
        yield {"id": number, **panel, "gridPos": {"x": left, "y": top, **size}}
        left, height = left + size["w"], max(height, size["h"])
