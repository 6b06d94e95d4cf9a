# Turn a page of docs/commands into a man page. The pages use few forms: headings, paragraphs, lists of
# `- `, code fenced or indented by four spaces, `code`, *name*(1).

function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}

function inline(text) {
    text = escaped(text)
    while (match(text, /`[^`]*`/))
        text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fR" substr(text, RSTART + RLENGTH)
    while (match(text, /\*[^*]+\*\(/))
        text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 3) "\\fR(" substr(text, RSTART + RLENGTH)
    return text
}

function plain_from_here() { if (literal) { print ".EE"; literal = 0 } }
function literal_from_here() { if (!literal) { print ".EX"; literal = 1 } }

/^# /    { name = toupper($2); sub(/\(1\)/, "", name); printf ".TH \"%s\" \"1\"\n", name; next }
/^## /   { plain_from_here(); sub(/^## /, ""); printf ".SH \"%s\"\n", $0; next }
/^```/   { fenced = !fenced; if (fenced) literal_from_here(); else plain_from_here(); next }
fenced   { print escaped($0); next }
/^    /  { literal_from_here(); print escaped(substr($0, 5)); next }
/^- /    { plain_from_here(); print ".IP \\(bu 2"; print inline(substr($0, 3)); next }
/^$/     { plain_from_here(); print ".PP"; next }
         { sub(/^ +/, ""); print inline($0) }
END      { plain_from_here() }
