#include "service/document_language.h"

#include <gtest/gtest.h>

namespace heddle::service {
namespace {

TEST(DocumentLanguage, IsToldByScriptAndWords) {
    const std::pair<const char*, const char*> kTexts[] = {
        {"en", "The warp is held under tension on the frame and the weft is drawn through it."},
        {"de",
         "Die Kette ist auf den Rahmen gespannt, und der Schuss wird mit der Hand durch das "
         "Fach geführt."},
        {"fr",
         "La chaîne est tendue sur le métier et la trame passe dans les fils qui sont levés."},
        {"es",
         "La urdimbre se mantiene tensa y los hilos de la trama pasan por el telar con una "
         "lanzadera."},
        {"it",
         "Il telaio tiene i fili in tensione e la trama passa per il passo che non è chiuso "
         "della catena."},
        {"zh",
         "经纱在织机上保持张力，纬纱由梭子穿过梭口。织物的组织由综框的升降次序决定。不同的织机有"
         "不同的开口机构。"},
        {"ja",
         "経糸は織機の上で張られ、緯糸は杼によって開口部を通されます。織物の組織は綜絖の動きによっ"
         "て決まります。"},
        {"ko",
         "날실은 베틀 위에서 팽팽하게 유지되고 씨실은 북으로 통과합니다. 직물의 조직은 잉아의 "
         "순서로 "
         "결정됩니다. 베틀은 여러 가지가 있습니다."},
        {"ru", "Нити основы натянуты на станке, а уток проходит между ними с помощью челнока."},
        {"", "12 34 56"},
        {"", "QWV-12 XKJ-77 ZPT-81 QWV-12 XKJ-77 ZPT-81 QWV-12 XKJ-77 ZPT-81 LLK"},
    };
    for (const auto& [language, text] : kTexts) EXPECT_EQ(language_of(text), language) << text;
}

TEST(DocumentLanguage, EmbeddersSayWhatTheyServe) {
    EXPECT_TRUE(embedder_serves("all-MiniLM-L6-v2/f32", "en"));
    EXPECT_FALSE(embedder_serves("all-MiniLM-L6-v2/f32", "zh"));
    EXPECT_TRUE(embedder_serves("all-MiniLM-L6-v2/f32", ""));
    EXPECT_TRUE(embedder_serves("jina-embeddings-v2-base-de/f32", "de"));
    EXPECT_FALSE(embedder_serves("jina-embeddings-v2-base-de/f32", "fr"));
    EXPECT_TRUE(embedder_serves("paraphrase-multilingual-MiniLM-L12-v2/f32", "ko"));
    EXPECT_TRUE(embedder_serves("bge-m3", "ru"));
}

TEST(DocumentLanguage, TheWarningNamesAMultilingualModel) {
    const char* chinese =
        "经纱在织机上保持张力，纬纱由梭子穿过梭口。织物的组织由综框的升降次序决定。不同的织机有不同"
        "的开口机构。";
    const std::string warning = language_warning(chinese, "all-MiniLM-L6-v2/f32");
    EXPECT_NE(warning.find("(zh)"), std::string::npos) << warning;
    EXPECT_NE(warning.find("multilingual"), std::string::npos);
    EXPECT_EQ(language_warning(chinese, "bge-m3"), "");
}

}  // namespace
}  // namespace heddle::service
