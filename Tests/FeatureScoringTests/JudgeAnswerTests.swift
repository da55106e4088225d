import FeatureScoring
import Testing

/// Only the requested form is accepted.
@Suite struct JudgeAnswerTests {
    @Test("A well-formed answer is read") func whatWasAskedForIsRead() throws {
        #expect(try JudgeAnswer.explanation(in: #" {"explanation": "after\n  “begat”"} "#) == "after “begat”")
        #expect(try JudgeAnswer.activations(in: #"{"activations":[0,10,3]}"#, count: 3) == [0, 10, 3])
        #expect(try JudgeAnswer.decisions(.detection, in: #"{"active":[true,false]}"#, count: 2) == [true, false])
        #expect(try JudgeAnswer.decisions(.fuzzing, in: #"{"correct":[false]}"#, count: 1) == [false])
        let rubric = try JudgeAnswer.rubric(in: #"{"score":4,"category":"high-level","explanation":"kings"}"#)
        #expect(rubric.category == "high-level" && rubric.score == 4 && rubric.explanation == "kings")
    }

    @Test(
        "A malformed explanation is refused",
        arguments: [
            "", "yes", "[]", "null", "3", #"{"explanation":"#, #"{"explanation":""}"#, #"{"explanation":"  \n "}"#,
            #"{"explanation":null}"#, #"{"explanation":3}"#, #"{"explanation":["x"]}"#,
            #"{"explanation":"x","score":5}"#, #"{"explanation":"x"} and more"#,
            #"{"explanation":"x","explanation":"y"}"#, #"{"explanation":"x"}{"explanation":"y"}"#,
            String(repeating: "[", count: 100_000),
            #"{"explanation":""# + String(repeating: "long ", count: 1000) + #""}"#, "\u{0}",
            #"{"explanation":"\ud800"}"#,
        ])
    func garbageIsNoExplanation(content: String) {
        expectGarbage { _ = try JudgeAnswer.explanation(in: content) }
    }

    @Test(
        "Malformed activations are refused",
        arguments: [
            #"{"activations":[1,2]}"#, #"{"activations":[1,2,3,4]}"#, #"{"activations":[1,2,11]}"#,
            #"{"activations":[1,2,-1]}"#, #"{"activations":[1,2,2.5]}"#, #"{"activations":[1,2,"3"]}"#,
            #"{"activations":[1,2,null]}"#, #"{"activations":[1,2,1e300]}"#, #"{"activations":[1,2,true]}"#,
            #"{"activations":[1,2,99999999999999999999]}"#, #"{"activations":{"0":1}}"#, #"{"levels":[1,2,3]}"#,
            "1 2 3",
        ])
    func garbageIsNoActivations(content: String) {
        expectGarbage { _ = try JudgeAnswer.activations(in: content, count: 3) }
    }

    @Test(
        "A malformed decision is refused",
        arguments: [
            #"{"active":[true]}"#, #"{"active":[true,1]}"#, #"{"active":[true,"false"]}"#, #"{"correct":[true,false]}"#,
            #"{"active":true}"#, #"{"active":[true,false],"why":"x"}"#,
        ])
    func garbageIsNoDecision(content: String) {
        expectGarbage { _ = try JudgeAnswer.decisions(.detection, in: content, count: 2) }
    }

    @Test(
        "A malformed rubric is refused",
        arguments: [
            #"{"category":"high-level","score":6,"explanation":"x"}"#,
            #"{"category":"high-level","score":0,"explanation":"x"}"#,
            #"{"category":"medium","score":3,"explanation":"x"}"#,
            #"{"category":"high-level","score":"3","explanation":"x"}"#,
            #"{"category":"high-level","score":3}"#, #"{"category":"high-level","score":3.5,"explanation":"x"}"#,
        ])
    func garbageIsNoRubric(content: String) {
        expectGarbage { _ = try JudgeAnswer.rubric(in: content) }
    }

    private func expectGarbage(_ read: () throws -> Void) {
        do {
            try read()
            Issue.record("it was taken")
        } catch let error as JudgeAnswer.Garbage {
            #expect(!error.description.isEmpty && error.description.count < 300 && !error.description.contains("\n"))
        } catch {
            Issue.record(error)
        }
    }
}
