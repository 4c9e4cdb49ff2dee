"""What C-Eval, CMMLU, MMLU and AGIEval share: exams of questions with lettered options.

subjects   what a benchmark's subjects are called and which category each belongs to (*.yaml)
sheet      a subject's questions from its file, as the benchmark hands them out
wording    how a protocol words a question, its demonstrations and the reply
exam       ExamTask: a folder of sheets asked in one of several protocols
admission  AGIEval's subjects, questions and demonstrations; `admission_prompts` words them
"""
