import ActivationPipeline
import Testing

@Suite struct TokenClassTests {
    @Test(arguments: [
        (" The", "the"), ("\t\n THE \u{A0}", "the"), ("", ""), ("   ", ""), ("\u{1C}a\u{1F}", "a"),
        ("a b", "a b"), ("ÉTÉ", "été"), ("\u{3000}字", "字"),
    ])
    func classesAreTrimmedAndLowercased(token: String, text: String) {
        #expect(TokenClass.text(of: token) == text)
    }
}
