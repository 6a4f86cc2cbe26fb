"""What one more hour of selling is worth.

Rep-weeks, the effect, its checks, its value, and where the week goes.
"""
