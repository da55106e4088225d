import FeatureScoring
import Foundation
import Testing

/// Wrapping of models' answers: removed if it is closed think blocks or exactly one fence, and nothing
/// else.
@Suite struct UnwrappedAnswerTests {
    private static let plain = #"{"category": "low-level", "score": 4, "explanation": "the word ``` type"}"#

    static let taken: [(content: String, thoughts: Int, isFenced: Bool)] = [
        (plain, 0, false), (" \r\n\t\(plain)\n\n", 0, false),
        ("```json\n\(plain)\n```", 0, true), ("```\n\(plain)\n```\n", 0, true),
        ("\n```JSON \n\(plain)\n```  ", 0, true), ("```json\r\n\(plain)\r\n```\r\n", 0, true),
        ("~~~\n\(plain)\n~~~", 0, true), ("````json\n\(plain)\n````", 0, true),
        ("```json\n\n\(plain)\n\n  ```", 0, true),
        ("<think>\nmaybe {\"score\": 1}\n</think>\n\n\(plain)", 1, false),
        ("<think>\n\n</think>\n\n\(plain)", 1, false), ("<think></think>\(plain)", 1, false),
        ("\n <think>a</think> <think>```b</think>\n\(plain)", 2, false),
        ("<think>a</think>\n```json\n\(plain)\n```", 1, true),
    ]

    @Test("A think block or one fence around an answer is removed", arguments: taken.indices)
    func whatIsAroundIsTakenOff(_ index: Int) throws {
        let (content, thoughts, isFenced) = Self.taken[index]
        let answer = UnwrappedAnswer(content)
        #expect(answer.thoughtCount == thoughts && answer.isFenced == isFenced)
        #expect(answer.text.trimmingCharacters(in: .whitespacesAndNewlines) == Self.plain)
        #expect(content.utf8.dropFirst(answer.offset).starts(with: answer.text.utf8))
        #expect(try JudgeAnswer.rubric(in: content).score == 4)
        // As answers were read before.
        let exact = try? JudgeAnswer.rubric(in: content, reading: .exact)
        #expect((exact != nil) == (thoughts == 0 && !isFenced))
    }

    @Test(
        "Nothing else is removed",
        arguments: [
            "some thoughts\n</think>\n\(plain)", "<think>no end \(plain)", "<think>\n\(plain)\n</think>",
            "<think>a<think>b</think>c</think>\(plain)", "<thinking>a</thinking>\(plain)", "<Think>a</Think>\(plain)",
            "\(plain)<think>a</think>", "Sure! \(plain)", "\(plain)\nI hope this helps.", "\u{FEFF}\(plain)",
            "Here it is:\n```json\n\(plain)\n```", "```json\n\(plain)\n```\nThat is all.", "```json\n\(plain)",
            "```json\n```json\n\(plain)\n```\n```", "```json\n\(plain)\n```\n```json\n\(plain)\n```",
            "```json \(plain) ```", "``\n\(plain)\n``", "```json\n\(plain)\n~~~", "````json\n\(plain)\n```",
            "``` the answer\n\(plain)\n```", "`\(plain)`", "```json\n```", "```json\n<think>a</think>\n\(plain)\n```",
            "",
            "<think>a</think>", "```", "<think>", "</think>", "\u{A0}\(plain)", "```json\n\(plain)\n```x",
        ])
    func nothingElseIsGuessed(content: String) {
        #expect(throws: JudgeAnswer.Garbage.self) { _ = try JudgeAnswer.rubric(in: content) }
    }

    private func garbage(_ content: String) -> JudgeAnswer.Garbage? {
        do throws(JudgeAnswer.Garbage) {
            _ = try JudgeAnswer.rubric(in: content)
            return nil
        } catch { return error }
    }

    @Test func whatHelpsIsTold() {
        #expect(garbage("thoughts </think> \(Self.plain)")?.kind == .strayThoughts)
        #expect(garbage("<think> thoughts")?.kind == .openThoughts)
        #expect(garbage("\u{FEFF}\(Self.plain)")?.description.contains("byte-order mark") == true)
        #expect(garbage(" \n")?.description == "the answer is empty")
        let long = String(repeating: "x", count: 100_000)
        for content in ["```json\n\(long)\n```", "<think>\(long)"] {
            #expect((garbage(content)?.description.utf8.count ?? .max) < 300)
        }
    }

    @Test(arguments: ["Low-level", "LOW-LEVEL", "low-Level"])
    func theLetterCaseOfCategoriesIsIgnored(_ word: String) throws {
        let content = Self.plain.replacing("low-level", with: word)
        #expect(try JudgeAnswer.rubric(in: content).category == "low-level")
        #expect(throws: JudgeAnswer.Garbage.self) { _ = try JudgeAnswer.rubric(in: content, reading: .exact) }
    }

    @Test("The letter case of keys and booleans is ignored") func theLetterCaseOfKeysAndTruthsIsIgnored() throws {
        let rubric = try JudgeAnswer.rubric(in: #"{"Category":"High-Level","SCORE":2,"Explanation":"As It Is"}"#)
        #expect(rubric.category == "high-level" && rubric.score == 2 && rubric.explanation == "As It Is")
        #expect(
            try JudgeAnswer.decisions(.detection, in: #"{"Active":[True,FALSE,false]}"#, count: 3)
                == [true, false, false])
        for content in [
            #"{"active":["true"]}"#, #"{"active":[Yes]}"#, #"{"active":[truE1]}"#,
            #"{"active":[true],"Active":[true]}"#,
        ] {
            #expect(throws: JudgeAnswer.Garbage.self) {
                _ = try JudgeAnswer.decisions(.detection, in: content, count: 1)
            }
        }
        for content in [#"{"active":[True]}"#, #"{"Active":[true]}"#] {
            #expect(throws: JudgeAnswer.Garbage.self) {
                _ = try JudgeAnswer.decisions(.detection, in: content, count: 1, reading: .exact)
            }
        }
        // Other letters than A to Z are other letters; words that are nearly right are wrong.
        for category in ["und\u{131}scernible", "low level", "low\u{2011}level", " low-level", "low"] {
            #expect(throws: JudgeAnswer.Garbage.self) {
                _ = try JudgeAnswer.rubric(in: Self.plain.replacing("low-level", with: category))
            }
        }
    }

    @Test func expectedLevelsAreFoundWithinTheAnswer() {
        func token(_ text: String, _ alternatives: [(String, Double)] = []) -> ExpectedLevels.Token {
            .init(text: text, alternatives: alternatives.map { (text: $0.0, logProbability: log($0.1)) })
        }

        let content = "<think>[1, 2] or 3?</think>\n```json\n{\"activations\": [4, 10]}\n```"
        let tokens = [
            token("<think>[1, 2] or 3?</think>\n```json\n{\"activations\": ["), token("4", [("4", 0.5), ("6", 0.5)]),
            token(", "), token("10", [("10", 1)]), token("]}\n```"),
        ]
        let levels = ExpectedLevels.of([4, 10], in: content, tokens: tokens)
        #expect(abs(levels[0] - 5) < 1e-6 && abs(levels[1] - 10) < 1e-6)
    }
}
