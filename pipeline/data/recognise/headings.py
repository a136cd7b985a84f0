"""Words of headings that say what a column is, without accents, in English, Portuguese, German, Spanish and French."""

TEXT = (
    "text", "review", "reviews", "comment", "body", "message", "content", "sentence", "tweet", "post", "utterance",
    "document", "article", "abstract", "query", "description", "summary", "question", "answer", "email", "feedback",
    "transcript", "texto", "resenha", "comentario", "avaliacao", "mensagem", "conteudo", "frase", "pergunta",
    "resposta", "descricao", "corpo", "kommentar", "bewertungstext", "rezension", "nachricht", "inhalt", "satz",
    "beschreibung", "frage", "antwort", "opinion", "mensaje", "contenido", "oracion", "pregunta", "respuesta",
    "texte", "avis", "commentaire", "contenu", "phrase", "reponse",
)  # fmt: skip
LABEL = (
    "label", "labels", "class", "category", "sentiment", "stars", "rating", "target", "topic", "intent", "emotion",
    "polarity", "tag", "tags", "genre", "type", "status", "priority", "department", "team", "queue", "toxicity",
    "verdict", "y", "outcome", "gold", "stance", "rotulo", "classe", "categoria", "sentimento", "estrelas", "nota",
    "alvo", "topico", "assunto", "intencao", "tipo", "prioridade", "kategorie", "klasse", "bewertung", "sterne",
    "thema", "note", "etiqueta", "clase", "sentimiento", "estrellas", "etiquette", "categorie", "etoiles", "sujet",
)  # fmt: skip
ANSWER = ("label", "labels", "target", "gold", "y", "rotulo", "alvo", "etiqueta", "etiquette")
GROUP = (
    "user", "author", "writer", "speaker", "patient", "customer", "client", "subject", "doc", "document", "thread",
    "conversation", "session", "account", "participant", "reviewer", "worker", "employee", "clerk", "agent", "machine",
    "device", "usuario", "autor", "escritor", "paciente", "cliente", "documento", "conversa", "funcionario", "kunde",
    "mitarbeiter", "maschine", "nutzer", "benutzer", "verfasser", "utilisateur", "auteur",
)  # fmt: skip
LANGUAGES = (
    "lang", "language", "locale", "idioma", "lingua", "sprache", "langue",
)  # fmt: skip
IDENTITY = (
    "id", "ids", "uuid", "guid", "index", "idx", "key", "url", "uri", "link", "hash", "number", "nr", "no",
    "timestamp", "date", "time", "name", "filename", "path",
)  # fmt: skip
PAIRS = (
    ("question", "answer"), ("premise", "hypothesis"), ("query", "document"), ("query", "passage"), ("text", "reply"),
    ("prompt", "response"), ("sentence", "paraphrase"), ("pergunta", "resposta"), ("frage", "antwort"),
    ("premissa", "hipotese"), ("message", "reply"), ("claim", "evidence"), ("pregunta", "respuesta"),
)  # fmt: skip


SETS = (
    "train", "training", "valid", "validation", "val", "dev", "devel", "test", "testing", "eval", "evaluation",
    "treino", "validacao", "validação", "teste",
)  # fmt: skip
SCORES = (
    "score", "similarity", "relatedness", "similaridade", "pontuacao", "ahnlichkeit", "similitud", "similarite",
)  # fmt: skip
